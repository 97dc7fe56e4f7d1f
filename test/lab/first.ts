import { bringUp, untilActive, activeBuckets } from './cluster.ts';
import { Lab } from './rig/lab.ts';
import { standardFlows, Traffic } from './traffic/traffic.ts';
import { summarize } from './verdict/summary.ts';
import { setTimeout as delay } from 'node:timers/promises';

const manager = (process.argv[2] ?? 'none') as 'none' | 'keepalived';
const snat = process.argv[3] !== 'nosnat';
const lab = await Lab.create({ cluster: { snat, manager } });
const t0 = performance.now();
const say = (text: string) => console.log(`${((performance.now() - t0) / 1000).toFixed(2)} ${text}`);
try {
  const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
  await Promise.all([bringUp(fw1, manager), bringUp(fw2, manager)]);
  say('up');
  await untilActive(lab, { fw1: 32, fw2: 32 });
  say('both own');
  const traffic = await Traffic.start(lab);
  traffic.add(lab.clients.flatMap(({ plan }) => standardFlows(plan)));
  await traffic.ready();
  say('flows ready');
  await delay(1500);
  await fw1.powerCut();
  say('cut');
  if (manager === 'none') console.log(await fw2.product(['takeover', 'fw1']));
  await untilActive(lab, { fw2: 64 });
  say('taken');
  await delay(2000);
  console.log(await fw2.product(['status']));
  await bringUp(fw1, manager);
  say('returned');
  if (manager === 'none') {
    for (let i = 0; i < 50; i++) {
      await delay(200);
      try { console.log(await fw1.product(['takeover', 'fw1'])); break; } catch (e) { say(String((e as Error).message).slice(-200)); }
    }
  }
  await untilActive(lab, { fw1: 32, fw2: 32 });
  say('handed back');
  await delay(3000);
  console.log(await fw1.product(['status']));
  const verdicts = await traffic.stop();
  for (const v of verdicts) console.log(v.id, v.state, v.reason, 'sent', v.sent, 'ans', v.answered, 'slow', v.slow, 'worst', v.worstStall, 'twice', JSON.stringify(v.twice), JSON.stringify(v.ports));
  console.log(summarize(verdicts).lost.length, 'lost');
} catch (e) {
  console.log(e);
} finally {
  console.log(await lab.logs(40));
  await lab.close();
}
