// An API that speaks HTTP/2, and HTTP/1.1 to who does not: node http2_server.mjs PORT PLAIN_PORT FOLDER
//
// /KIND/items?page=N has pages of rows, and KIND says what goes wrong once: nothing with `plain`. On the plain port /told says what came, and
// /reset forgets it. FOLDER has the certificate.
import fs from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import path from "node:path";

const [port, plainPort, folder] = process.argv.slice(2);
const PAGES = 40;
const ROWS = 10;
const FEW_STREAMS = 3;
let told = {};

function forget() {
  told = { connections: 0, requests: 0, inFlight: 0, most: 0, protocols: {}, went_wrong: 0 };
}

function rowsOf(page) {
  const ids = page > PAGES ? [] : Array.from({ length: ROWS }, (_, idx) => (page - 1) * ROWS + idx);
  return JSON.stringify(ids.map((id) => ({ id, note: `note ${id} ü` })));
}

function answer(request, response) {
  const url = new URL(request.url, "https://127.0.0.1");
  const [, kind] = url.pathname.split("/");
  const page = Number(url.searchParams.get("page"));
  told.protocols[request.httpVersion] = (told.protocols[request.httpVersion] ?? 0) + 1;
  told.requests += 1;
  told.inFlight += 1;
  told.most = Math.max(told.most, told.inFlight);
  const body = rowsOf(page);
  // The others are under way meanwhile.
  setTimeout(() => {
    told.inFlight -= 1;
    const goesWrong = kind !== "plain" && page === 12 && told.went_wrong === 0;
    told.went_wrong += goesWrong;
    response.setHeader("content-type", "application/json");
    if (goesWrong && kind === "cut_off") {
      response.write(body.slice(0, body.length / 2));
      setImmediate(() => response.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR));
    } else if (goesWrong && kind === "refused") {
      response.stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
    } else if (goesWrong && kind === "destroyed") {
      response.stream.session.destroy();
    } else {
      response.end(body);
      if (goesWrong && kind === "goes_away") response.stream.session.close();
    }
  }, 5);
}

forget();
const read = (name) => fs.readFileSync(path.join(folder, name));
const server = http2.createSecureServer(
  { key: read("server.key"), cert: read("good.pem"), allowHTTP1: true, settings: { maxConcurrentStreams: FEW_STREAMS } },
  answer,
);
server.on("secureConnection", () => (told.connections += 1));
server.on("sessionError", () => {});
server.listen(Number(port), "127.0.0.1", () => {
  const plain = http.createServer((request, response) => {
    if (request.url === "/reset") forget();
    response.end(JSON.stringify(told));
  });
  plain.listen(Number(plainPort), "127.0.0.1");
});
