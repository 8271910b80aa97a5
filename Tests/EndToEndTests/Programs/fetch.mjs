// Node's own clients: `fetch.mjs URL COUNT` asks COUNT times with fetch, `fetch.mjs --http2 URL COUNT` with one HTTP/2
// session and all at a time. Prints how many answers were 200 with `woven`.
import http2 from "node:http2";

const [url, count] = process.argv.slice(-2);
const isGood = (status, body) => status === 200 && body === "woven\n";

async function one() {
  const response = await fetch(url);
  return isGood(response.status, await response.text());
}

function stream(session) {
  return new Promise((resolve, reject) => {
    const request = session.request({ ":path": "/" });
    let status;
    let body = "";
    request.setEncoding("utf8");
    request.on("response", (headers) => (status = headers[":status"]));
    request.on("data", (part) => (body += part));
    request.on("end", () => resolve(isGood(status, body)));
    request.on("error", reject);
    request.end();
  });
}

const answers = [];
if (process.argv.includes("--http2")) {
  const session = http2.connect(url);
  answers.push(...(await Promise.all(Array.from({ length: Number(count) }, () => stream(session)))));
  session.close();
} else {
  for (let number = 0; number < Number(count); number++) answers.push(await one());
}
console.log(answers.filter(Boolean).length);
