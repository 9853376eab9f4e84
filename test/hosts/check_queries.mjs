// Compares GraphQL queries with a schema. Arguments: the graphql package and the file of the schema. Reads a list of [name, query] from stdin, and
// prints a list of [name, mistake].

import { readFileSync } from "node:fs";

const [graphqlPackage, schemaFile] = process.argv.slice(2);
const { buildSchema, parse, validate } = await import(graphqlPackage);
const schema = buildSchema(readFileSync(schemaFile, "utf8"), { assumeValidSDL: true });
const queries = JSON.parse(readFileSync(0, "utf8"));

function mistakesOf(query) {
  try {
    return validate(schema, parse(query)).map((mistake) => mistake.message);
  } catch (err) {
    return [err.message];
  }
}

console.log(JSON.stringify(queries.flatMap(([name, query]) => mistakesOf(query).map((mistake) => [name, mistake]))));
