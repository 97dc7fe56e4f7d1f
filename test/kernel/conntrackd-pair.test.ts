import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Control } from '../../src/conntrackd/control.ts';
import { drained } from '../../src/conntrackd/progress.ts';
import { parseQueues } from '../../src/conntrackd/queues.ts';
import { parseStatistics, type Statistics } from '../../src/conntrackd/statistics.ts';
import { type Daemon, eventually, Lab, schedulingOf } from './conntrackd-lab.ts';

/** Linux's number of SCHED_RR, sched(7). */
const SCHED_RR = 2;

let lab: Lab;
let one: Daemon;
let two: Daemon;

beforeAll(async () => {
  lab = await Lab.open();
  for (const name of ['client', 'fw1', 'fw2', 'server']) await lab.addNamespace(name);
  await lab.connect(
    { name: 'client', device: 'eth0', address: '192.168.0.3/24' },
    { name: 'fw1', device: 'eth1', address: '192.168.0.5/24' },
  );
  await lab.connect(
    { name: 'server', device: 'eth0', address: '192.168.1.2/24' },
    { name: 'fw1', device: 'eth2', address: '192.168.1.5/24' },
  );
  await lab.connect(
    { name: 'fw1', device: 'eth3', address: '10.99.0.1/24' },
    { name: 'fw2', device: 'sync0', address: '10.99.0.2/24' },
  );
  await lab.run('client', 'ip', ['route', 'add', 'default', 'via', '192.168.0.5']);
  await lab.run('fw1', 'sysctl', ['-q', 'net.ipv4.ip_forward=1', 'net.netfilter.nf_conntrack_tcp_loose=0']);
  const translation = `table ip t {
    chain untracked { type filter hook prerouting priority raw; udp dport 3780 notrack; }
    chain untracked_out { type filter hook output priority raw; udp dport 3780 notrack; }
    chain out { type nat hook postrouting priority srcnat;
      oifname "eth2" meta l4proto { tcp, udp, icmp } snat to 192.168.1.5:20000-20999
    }
  }`;
  await lab.run('fw1', 'nft', ['-f', '-'], translation);
  one = await lab.conntrackd('fw1');
  two = await lab.conntrackd('fw2');
});

afterAll(() => lab.close());

beforeEach(async () => {
  for (const daemon of [one, two]) await daemon.control.send('flushInternal');
  for (const name of ['fw1', 'fw2']) await lab.run(name, 'conntrack', ['-F']);
});

const statistics = async (control: Control): Promise<Statistics> =>
  parseStatistics(await control.send('statistics'));

/** Entries of a node's kernel, one text each, with what differs from node to node cut off. */
const flows = async (name: string, ...filter: readonly string[]): Promise<readonly string[]> =>
  (await lab.run(name, 'conntrack', ['-L', ...filter])).stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^(\S+ +\d+) \d+/, '$1').replace(/ use=\d+ *$/, ''))
    .sort();

/** Runs a line of JavaScript in a namespace; ends with `stop`. */
const script = (name: string, code: string) => {
  const child = lab.start(name, process.execPath, ['-e', code]);
  return {
    child,
    stop: async () => {
      child.kill('SIGKILL');
      await child;
    },
  };
};

describe('the rendered configuration', () => {
  it('is taken by both without a warning, and runs them just above ordinary programs', async () => {
    for (const daemon of [one, two]) {
      expect(daemon.printed()).not.toMatch(/\[(warning|ERROR)\]/);
      expect(await schedulingOf(daemon.pid)).toEqual({ policy: SCHED_RR, priority: 1 });
      expect((await statistics(daemon.control)).external.kind).toBe('inject');
    }
  });

  it('replicates flows that are translated to an address in Address Ignore, translation and all', async () => {
    const server = script(
      'server',
      "net.createServer(s=>s.pipe(s)).listen(80);const d=dgram.createSocket('udp4');d.on('message',(m,r)=>d.send(m,r.port,r.address));d.bind(53)",
    );
    const client = script(
      'client',
      "const go=()=>net.connect(80,'192.168.1.2').on('error',()=>setTimeout(go,50)).on('connect',function(){this.write('x')});go();" +
        "const d=dgram.createSocket('udp4');setInterval(()=>d.send('x',53,'192.168.1.2'),50)",
    );
    try {
      const replicated = ['-s', '192.168.0.3', '-d', '192.168.1.2'];
      const here = await eventually('both flows are up', async () => {
        const found = (await flows('fw1', ...replicated)).filter((flow) => flow.includes('[ASSURED]'));
        return found.some((flow) => flow.startsWith('udp')) &&
          found.some((flow) => flow.includes('ESTABLISHED'))
          ? found
          : undefined;
      });
      for (const flow of here) {
        expect(flow).toMatch(/dst=192\.168\.1\.5 sport=\d+ dport=20\d\d\d /);
      }
      await eventually(`fw2 has the same: ${here}`, async () => {
        const there = await flows('fw2', ...replicated);
        return here.every((flow) => there.includes(flow)) ? true : undefined;
      });
    } finally {
      await client.stop();
      await server.stop();
    }
  });

  it('replicates what a connection is translated to that follows at once on another from the same port', async () => {
    const server = script('server', 'net.createServer(s=>s.on("error",()=>{}).pipe(s)).listen(80)');
    const ports = Array.from({ length: 20 }, (_, index) => 3000 + index);
    const client = script(
      'client',
      `let left=${ports.length};
      const done=()=>dgram.createSocket('udp4').send('x',9,'192.168.1.2');
      const go=(port,first)=>{
        const s=net.connect({port:80,host:'192.168.1.2',localPort:port});
        s.on('error',()=>setTimeout(go,50,port,first));
        s.on('connect',()=>s.write('x'));
        s.once('data',()=>{if(first){s.resetAndDestroy();go(port,false)}else if(--left===0)done()});
      };
      for(const port of ${JSON.stringify(ports)})go(port,true)`,
    );
    try {
      // Whatever were sent would have been sent before this one.
      await eventually('the flow that follows them all', async () =>
        (await flows('fw2')).some((flow) => flow.includes('dport=9 ')) ? true : undefined,
      );
      const here = await flows('fw1', '-p', 'tcp', '--state', 'ESTABLISHED');
      expect(here).toHaveLength(ports.length);
      expect(await flows('fw2', '-p', 'tcp', '--state', 'ESTABLISHED')).toEqual(here);
    } finally {
      await client.stop();
      await server.stop();
    }
  });

  it("replicates neither ICMP nor the firewall's own connections", async () => {
    await lab.run('client', 'ping', ['-c', '1', '-W', '2', '192.168.1.2']);
    await lab.run('client', 'ping', ['-c', '1', '-W', '2', '192.168.0.5']);
    const own = script('client', "dgram.createSocket('udp4').send('x',9,'192.168.0.5',()=>process.exit())");
    await own.child;
    const outward = script('fw1', "dgram.createSocket('udp4').send('x',9,'192.168.1.2',()=>process.exit())");
    await outward.child;
    expect((await flows('fw1')).length).toBe(4);
    // Whatever were sent would have been sent before this one.
    const passing = script(
      'client',
      "dgram.createSocket('udp4').send('x',9,'192.168.1.2',()=>process.exit())",
    );
    await passing.child;
    await eventually('the flow that is replicated', async () =>
      (await flows('fw2')).some((flow) => flow.includes('dport=9 ')) ? true : undefined,
    );
    expect((await flows('fw2')).length).toBe(1);
  });
});

describe('drained', () => {
  const insert = async (count: number): Promise<void> => {
    const file = join(lab.directory, 'flows');
    const entries = Array.from(
      { length: count },
      (_, index) =>
        `-A -p udp -s 192.168.0.3 -d 172.16.${index >> 8}.${index & 255} --sport 7 --dport 53 -t 600\n`,
    );
    await writeFile(file, entries.join(''));
    await lab.run('fw1', 'conntrack', ['-R', file]);
  };

  it('is true once the peer has what was queued', async () => {
    expect(await drained(one.control, { bound: 3000 })).toBe(true);
    await insert(500);
    expect(await drained(one.control, { bound: 5000 })).toBe(true);
    expect((await flows('fw2')).length).toBe(500);
  });

  it('is false at the bound when the peer acknowledges nothing', async () => {
    process.kill(two.pid, 'SIGSTOP');
    try {
      await insert(5);
      await eventually('they are on the way', async () =>
        (parseQueues(await one.control.send('queue')).resend?.current ?? 0) >= 5 ? true : undefined,
      );
      const start = performance.now();
      expect(await drained(one.control, { bound: 1500 })).toBe(false);
      expect(performance.now() - start).toBeLessThan(2500);
    } finally {
      process.kill(two.pid, 'SIGCONT');
    }
    expect(await drained(one.control, { bound: 5000 })).toBe(true);
  });

  it('is true on a node that is never at rest', async () => {
    const flood = script(
      'client',
      "const d=dgram.createSocket('udp4');let n=0;setInterval(()=>{for(let i=0;i<20;i++)d.send('x',1024+(n++%60000),'192.168.1.2')},5)",
    );
    try {
      await eventually('flows come', async () =>
        (await statistics(one.control)).internal.created.done > 1000 ? true : undefined,
      );
      expect(await drained(one.control, { bound: 5000 })).toBe(true);
      const { created } = (await statistics(one.control)).internal;
      await eventually('flows still come', async () =>
        (await statistics(one.control)).internal.created.done > created.done ? true : undefined,
      );
    } finally {
      await flood.stop();
    }
  });
});

describe('flushInternal and bulk', () => {
  it('send nothing, and everything: the peer loses nothing by the first', async () => {
    await lab.run('fw1', 'conntrack', [
      ...[
        '-I',
        '-p',
        'udp',
        '-s',
        '192.168.0.3',
        '-d',
        '192.168.1.2',
        '--sport',
        '7',
        '--dport',
        '53',
        '-t',
        '600',
      ],
    ]);
    expect(await drained(one.control, { bound: 5000 })).toBe(true);
    const before = (await statistics(two.control)).external;
    await one.control.send('bulk');
    expect(await drained(one.control, { bound: 5000 })).toBe(true);
    await one.control.send('flushInternal');
    await one.control.send('bulk');
    expect(await drained(one.control, { bound: 5000 })).toBe(true);
    const after = (await statistics(two.control)).external;
    expect(after.created.done + after.updated.done - before.created.done - before.updated.done).toBe(1);
    expect(after.destroyed).toEqual(before.destroyed);
    expect((await flows('fw2')).length).toBe(1);
  });
});
