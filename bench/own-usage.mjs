// Loaded before the program (node --import): writes, when the process ends, what it used and how long it waited for answers
// over HTTP into the file that COUNTERSIGN_BENCH_USAGE names.
import { subscribe } from 'node:diagnostics_channel';
import { writeFileSync } from 'node:fs';

const wait = { since: 0, open: 0, total: 0 };
subscribe('http.client.request.start', () => {
  if (wait.open === 0) wait.since = performance.now();
  wait.open += 1;
});
subscribe('http.client.response.finish', ({ response }) => {
  response.once('end', () => {
    wait.open -= 1;
    if (wait.open === 0) wait.total += performance.now() - wait.since;
  });
});

process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const usage = {
    cpu: Math.round((userCPUTime + systemCPUTime) / 1000),
    wall: Math.round(performance.now()),
    waited: Math.round(wait.total),
    memory: Math.round(maxRSS / 1024),
  };
  writeFileSync(process.env.COUNTERSIGN_BENCH_USAGE, JSON.stringify(usage));
});
