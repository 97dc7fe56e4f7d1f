import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../src/config/error.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { findNode } from '../../../src/config/node.ts';
import { SAMPLE } from './sample.ts';

const config = parseConfig(SAMPLE, 'c.yaml');

describe('which node this is', () => {
  test.each([
    [{ hostname: 'fw2' }, 'fw2'],
    [{ hostname: 'fw2.example.org' }, 'fw2'],
    [{ hostname: 'FW2' }, 'fw2'],
    [{ env: 'fw1', hostname: 'fw2' }, 'fw1'],
    [{ env: '', hostname: 'fw2' }, 'fw2'],
    [{ option: 'fw2', env: 'fw1', hostname: 'fw1' }, 'fw2'],
    [{ option: undefined, env: undefined, hostname: 'fw1' }, 'fw1'],
  ])('%j: %s', (sources, name) => {
    expect(findNode(config, sources).name).toBe(name);
  });

  test.each([
    [
      { option: 'fw3', env: 'fw1', hostname: 'fw1' },
      '--node: "fw3" is no node of the cluster edge; use fw1 or fw2',
    ],
    [{ option: '', hostname: 'fw1' }, '--node: "" is no node of the cluster edge; use fw1 or fw2'],
    [
      { env: 'fw3', hostname: 'fw1' },
      'CONNTRACK_HA_NODE: "fw3" is no node of the cluster edge; use fw1 or fw2',
    ],
    [
      { hostname: 'gate.example.org' },
      'host name: "gate" is no node of the cluster edge; use --node or CONNTRACK_HA_NODE with fw1 or fw2, or add this host to nodes',
    ],
  ])('%j is none', (sources, message) => {
    expect(() => findNode(config, sources)).toThrow(ConfigError);
    expect(() => findNode(config, sources)).toThrow(message);
  });
});
