/** Makes a lab with a node and traffic, says where it is, and waits to be killed: for the test of what is left then. */
import { standardFlows, Traffic } from '../traffic/traffic.ts';
import { Lab } from './lab.ts';

const lab = await Lab.create();
for (const node of lab.nodes) {
  await node.boot();
  await node.machine.spawn('sleep', ['sleep', '1000']);
}
const traffic = await Traffic.start(lab);
traffic.add(lab.clients.flatMap(({ plan }) => standardFlows(plan)));
const machines = [...lab.nodes, ...lab.clients].map(({ machine }) => machine.pid);
console.log(JSON.stringify({ path: lab.run.path, pids: [...machines, lab.server.pid] }));
