import { readFile, readlink } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { basename } from 'node:path';
import { type ClusterConfig, deviceOf, type NodeConfig } from '../config/types.ts';
import { type Entry, entryOf, type Section } from './report.ts';

const NETWORK = '/sys/class/net';

/** Processors, memory, and the network cards of the configured interfaces. */
export const hardwareSection = async (config: ClusterConfig, node: NodeConfig): Promise<Section> => {
  const interfaces = [
    ...config.interfaces.map(({ name, side }) => ({ name, use: side })),
    { name: config.sync.interface, use: 'sync' },
  ];
  return {
    title: 'Hardware',
    entries: [
      await entryOf('processors', processors),
      { label: 'memory', text: `${(totalmem() / 2 ** 30).toFixed(1)} GiB` },
      ...(await Promise.all(interfaces.map(({ name, use }) => cardEntry(deviceOf(node, name), use)))),
    ],
  };
};

const processors = (): string => {
  const all = cpus();
  const models = [...new Set(all.map(({ model }) => model.trim()))];
  return `${all.length} x ${models.join(', ') || 'unknown'}`;
};

/** As /sys/class/net tells, for everybody to read. Documentation/ABI/testing/sysfs-class-net in the kernel's sources. */
const cardEntry = (device: string, use: string): Promise<Entry> =>
  entryOf(`${device} (${use})`, async () => {
    const state = await attribute(device, 'operstate');
    if (state === undefined) {
      throw new Error(`${NETWORK}/${device} is not there`);
    }
    const driver = await readlink(`${NETWORK}/${device}/device/driver`).catch(() => undefined);
    const [vendor, model] = [
      await attribute(device, 'device/vendor'),
      await attribute(device, 'device/device'),
    ];
    const speed = Number(await attribute(device, 'speed'));
    return [
      driver === undefined ? 'no driver (a virtual device)' : `driver ${basename(driver)}`,
      ...(vendor === undefined || model === undefined ? [] : [`card ${vendor}:${model}`]),
      speed > 0 ? `${speed} Mbit/s` : 'speed unknown',
      `mtu ${await attribute(device, 'mtu')}`,
      state,
    ].join(', ');
  });

/** Undefined if there is none; a device that is down has no speed. */
const attribute = async (device: string, name: string): Promise<string | undefined> =>
  readFile(`${NETWORK}/${device}/${name}`, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );
