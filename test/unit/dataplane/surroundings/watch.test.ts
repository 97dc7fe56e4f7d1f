import { afterEach, describe, expect, it } from 'vitest';
import { SurroundingsWatch } from '../../../../src/dataplane/surroundings/watch.ts';
import { type Broken, CONFIG, machine, NODE } from './machine.ts';

let watch: SurroundingsWatch | undefined;
afterEach(() => watch?.close());

/** A watch, and what it logs. */
const watching = () => {
  const lines: string[] = [];
  const log = {
    info: (text: string) => lines.push(`info ${text}`),
    warn: (text: string) => lines.push(`warning ${text}`),
  };
  const made = new SurroundingsWatch(CONFIG, NODE, log);
  watch = made;
  const look = (broken: Broken = {}, told: readonly string[] = []) => {
    const from = lines.length;
    made.take(machine(broken), new Set(told));
    return lines.slice(from);
  };
  return { watch: made, look };
};

const OFF: Broken = { settings: { 'net.ipv4.conf.eth2.forwarding': '0' } };
const TEXT =
  'net.ipv4.conf.eth2.forwarding is 0: this node forwards no IPv4 packet that comes in by eth2; set it with "sysctl -w net.ipv4.conf.eth2.forwarding=1"';
const SAID = `${TEXT} [ipv4-forwarding]`;
const WARNING = { code: 'ipv4-forwarding', object: 'net.ipv4.conf.eth2.forwarding', text: TEXT };
const NO_WAY: Broken = { routes: { '10.0.0.0/8': 'none' } };

describe('a watch over what the node needs', () => {
  it('says what is missing at two looks, once, and its end', () => {
    const { watch, look } = watching();
    expect([look(OFF), watch.warnings]).toEqual([[], []]);
    expect([look(OFF), watch.warnings]).toEqual([[`warning ${SAID}`], [WARNING]]);
    expect([look(OFF), watch.warnings]).toEqual([[], [WARNING]]);
    expect([look(), watch.warnings]).toEqual([['info net.ipv4.conf.eth2.forwarding is 1 again'], []]);
    expect(look()).toEqual([]);
    expect([look(OFF), look(OFF)].flat()).toEqual([`warning ${SAID}`]);
  });

  it('says nothing of what is missing for a moment', () => {
    const { watch, look } = watching();
    expect([look(OFF), look(), look(OFF), watch.warnings]).toEqual([[], [], [], []]);
  });

  it('does not say again what was said before it began, but later', () => {
    const { watch, look } = watching();
    expect([look(OFF, [SAID]), watch.warnings]).toEqual([[], [WARNING]]);
    expect(look(OFF)).toEqual([]);
    expect(look()).toEqual(['info net.ipv4.conf.eth2.forwarding is 1 again']);
    expect([look(OFF), look(OFF)].flat()).toEqual([`warning ${SAID}`]);
  });

  it('takes nothing that it can’t judge for mended', () => {
    const { watch, look } = watching();
    look(NO_WAY);
    expect(look(NO_WAY)).toHaveLength(1);
    expect([look({ links: { eth1: { carrier: false } } }), watch.warnings]).toEqual([[], []]);
    expect([look(NO_WAY), watch.warnings.length]).toEqual([[], 1]);
    expect(look()).toEqual(['info what this node sends to 10.0.0.0/8 leaves by eth1 again']);
  });

  it('says how a route is wrong when it is so in another way', () => {
    const { look } = watching();
    look(NO_WAY);
    look(NO_WAY);
    expect(look({ routes: { '10.0.0.0/8': 'eth2' } })).toEqual([expect.stringContaining('the wrong way')]);
  });

  it('misses an address of its own until it is there again, or another', () => {
    const { look } = watching();
    const gone = { without: ['eth1 fd00:1::241/64'] };
    expect([look(), look(gone), look(gone)].flat()).toEqual([
      expect.stringMatching(
        /^warning fd00:1::241\/64 is gone from eth1 .+keep_addr_on_down=1" \[own-address-gone\]$/,
      ),
    ]);
    expect([look(gone), look({ ...gone, more: ['eth1 fd00:1::9/64'] })].flat()).toEqual([
      'info eth1 has an address of its own in fd00:1::/64 again',
    ]);
    // That one is now the one that it has.
    expect([look(gone), look(gone)].flat()).toEqual([expect.stringContaining('fd00:1::9/64 is gone')]);
    expect(look()).toEqual(['info eth1 has an address of its own in fd00:1::/64 again']);
  });

  it('forgets addresses that other networks have replaced', () => {
    const { watch, look } = watching();
    const none = { without: ['eth1 192.168.0.241/24'] };
    for (const net of [1, 2, 3]) look({ more: [`eth1 172.16.${net}.1/24`] });
    look(none);
    look(none);
    expect(watch.warnings.map(({ text }) => text)).toEqual([
      expect.stringContaining('192.168.0.241/24 is gone'),
      expect.stringContaining('172.16.3.1/24 is gone'),
    ]);
  });
});
