// A GraphQL server with the issues of a JSON file: relay connections, mutations, an error beside data, and errors alone.
// yoga_server.mjs FOLDER FILE PORT: FOLDER has node_modules.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const [folder, file, port] = process.argv.slice(2);
const require = createRequire(pathToFileURL(folder + "/package.json"));
const { createSchema, createYoga } = require("graphql-yoga");
const { GraphQLError } = require("graphql");
const issues = JSON.parse(readFileSync(file, "utf8"));

const connection = (rows, { first, after }) => {
  const start = after ? Number(Buffer.from(after, "base64").toString()) : 0;
  const end = start + first;
  const nodes = rows.slice(start, end);
  return { nodes, pageInfo: { hasNextPage: end < rows.length, endCursor: Buffer.from(String(end)).toString("base64") } };
};

const typeDefs = `
  enum State { OPEN CLOSED }
  type PageInfo { hasNextPage: Boolean!, endCursor: String }
  type User { login: String! }
  type Label { name: String!, weight: Int! }
  type Labels { nodes: [Label!]! }
  type Issue { id: ID!, number: Int!, title: String!, state: State!, updated: String!, author: User, labels: Labels!, estimate: Float }
  type Issues { nodes: [Issue!]!, pageInfo: PageInfo! }
  type Query {
    issues(first: Int!, after: String, state: State, title: String, since: String): Issues!
    nodes(ids: [ID!]!): [Issue]!
    closed: [Issue!]!
  }
  input NewIssue { id: ID!, number: Int!, title: String! }
  type Mutation { create(issues: [NewIssue!]!): Int!, rename(id: ID!, title: String!): Issue, remove(id: ID!): Boolean! }
`;
const now = () => new Date().toISOString().replace(/\.\d+Z/, "Z");
const resolvers = {
  Query: {
    issues: (_, wanted) =>
      connection(
        issues.filter(
          (issue) =>
            (!wanted.state || issue.state === wanted.state) &&
            (!wanted.title || issue.title === wanted.title) &&
            (!wanted.since || issue.updated >= wanted.since),
        ),
        wanted,
      ),
    nodes: (_, { ids }) => ids.map((id) => issues.find((issue) => issue.id === id)),
    closed: () => {
      throw new GraphQLError("closed issues are in the archive", { extensions: { code: "ARCHIVED" } });
    },
  },
  Issue: {
    labels: (issue) => ({ nodes: issue.labels }),
    estimate: (issue) => {
      if (issue.number % 10 === 0) throw new GraphQLError(`issue ${issue.number} has no estimate`);
      return issue.number / 4;
    },
  },
  Mutation: {
    create: (_, { issues: added }) => issues.push(...added.map((issue) => ({ ...issue, state: "OPEN", updated: now(), author: null, labels: [] }))),
    rename: (_, { id, title }) => Object.assign(issues.find((issue) => issue.id === id), { title, updated: now() }),
    remove: (_, { id }) => issues.splice(issues.findIndex((issue) => issue.id === id), 1).length > 0,
  },
};
const yoga = createYoga({ schema: createSchema({ typeDefs, resolvers }), logging: false, maskedErrors: false });
createServer((request, response) => {
  if (request.headers.authorization !== "Bearer secret-token") {
    response.writeHead(401).end('{"errors": [{"message": "who are you?"}]}');
    return;
  }
  yoga(request, response);
}).listen(Number(port), "127.0.0.1");
