import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GroupBox } from './group-box.ts';
import { SHELLS } from './sandbox.ts';

const ACTIONS = [
  'start',
  'stop',
  'promote',
  'demote',
  'monitor',
  'notify',
  'validate-all',
  'reload-agent',
  'meta-data',
];

describe.each(SHELLS)('the resource agent by %s', (shell) => {
  let box: GroupBox;
  beforeEach(() => {
    box = new GroupBox(shell);
  });
  afterEach(() => box.remove());

  it('describes itself in well-formed XML', () => {
    const { status, stdout, stderr } = box.act('meta-data', {
      OCF_RESOURCE_INSTANCE: undefined,
      OCF_RESKEY_group: undefined,
    });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^<\?xml version="1.0"\?>\n<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd" \[\n(<![^<>]*>\n)*\]>\n/,
    );
    const elements = elementsOf(stdout.replace(/^[^[]*\[[^\]]*\]>/, ''));
    const named = (name: string) => elements.filter((each) => each.name === name);
    expect(elements[0]).toEqual({ name: 'resource-agent', called: 'group', of: {} });
    expect(stdout).toContain('<version>1.1</version>');
    expect(named('parameter').map(({ called, of }) => [called, of])).toEqual([
      ['group', { 'unique-group': 'group' }],
      ['run', { 'unique-group': 'group' }],
      ['config', { reloadable: '1' }],
    ]);
    expect(new Set(named('action').map(({ called }) => called))).toEqual(new Set(ACTIONS));
    const monitors = named('action').filter(({ called }) => called === 'monitor');
    expect(monitors.map(({ of: { role, interval } }) => [role, interval])).toEqual([
      ['Promoted', '10s'],
      ['Unpromoted', '11s'],
    ]);
    expect(named('action').every(({ of: { timeout } }) => timeout !== undefined)).toBe(true);
  });

  it.each(['notify', 'reload-agent'])('has nothing to do for %s', (action) => {
    expect(box.act(action)).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it.each(['migrate_to', 'status', ''])('does not know %j', (action) => {
    const { status, stdout, stderr } = box.act(action);
    expect([status, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/^use: group start\|stop\|/);
  });

  it.each([
    [{ OCF_RESKEY_run: 'run' }, /the parameter run wants an absolute path: run/],
    [{ OCF_RESKEY_config: './cluster.yaml' }, /the parameter config wants an absolute path/],
    [{ OCF_RESKEY_group: '../x_y' }, /the parameter group wants the name of a group, as fw1_fw2: \.\.\/x_y/],
    [{ OCF_RESKEY_group: undefined }, /the parameter group wants the name of a group, as fw1_fw2: g1/],
    [{ OCF_RESOURCE_INSTANCE: undefined }, /OCF_RESOURCE_INSTANCE must be the name/],
    [{ OCF_RESOURCE_INSTANCE: 'g 1' }, /OCF_RESOURCE_INSTANCE must be the name/],
  ])('refuses %j, but not in a probe or a stop', (change, why) => {
    box.startAgent();
    for (const action of ['start', 'promote', 'demote', 'validate-all']) {
      const { status, stderr } = box.act(action, change);
      expect(status).toBe(6);
      expect(stderr).toMatch(/^ocf-exit-reason:.*\n$/);
      expect(stderr).toMatch(why);
    }
    expect(box.act('monitor', change)).toEqual({ status: 7, stdout: '', stderr: '' });
    expect(box.act('stop', change)).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(box.said).toEqual([]);
  });

  it('says what is missing when it was copied alone', () => {
    rmSync(join(box.hooks, 'common.sh'));
    const { status, stderr } = box.act('start');
    expect(status).toBe(5);
    expect(stderr).toBe(
      `ocf-exit-reason:${box.hooks}/ocf/../common.sh is missing; install the whole directory of hooks\n`,
    );
    expect([box.act('monitor').status, box.act('stop').status]).toEqual([7, 0]);
    box.held = 'promoted g1\n';
    expect([box.act('monitor').status, box.act('stop').status]).toEqual([5, 5]);
  });

  describe('validate-all', () => {
    let config: Record<string, string>;
    beforeEach(() => {
      config = { OCF_RESKEY_config: join(box.root, 'cluster.yaml') };
      writeFileSync(join(box.root, 'cluster.yaml'), '');
      box.write('addresses', '192.0.2.1\n2001:db8::1\n');
    });

    /** `resources` is what the cluster answers. */
    const validate = (resources: string) => {
      box.script('bin/cibadmin', `cat <<'END'\n<resources>\n${resources}\n</resources>\nEND`);
      return box.act('validate-all', config);
    };

    it('wants a configuration that can be read here', () => {
      expect(box.act('validate-all', config)).toEqual({ status: 0, stdout: '', stderr: '' });
      const { status, stderr } = box.act('validate-all', { OCF_RESKEY_config: box.root });
      expect(status).toBe(5);
      expect(stderr).toMatch(/^ocf-exit-reason:\/.*: can't be read on this node; /);
    });

    it.each([
      ['nothing', ''],
      ['itself', primitive('g1', 'conntrack-ha', 'group')],
      ['another address', primitive('vip', 'heartbeat', 'IPaddr2', '192.0.2.10')],
      ['an address of something else', primitive('x', 'heartbeat', 'anything', '192.0.2.1')],
      ['a template that nothing uses', template('t', 'heartbeat', 'conntrackd')],
      ['the type of another provider', primitive('c', 'local', 'conntrackd')],
    ])('is content beside %s', (_, resources) => {
      expect(validate(resources)).toEqual({ status: 0, stdout: '', stderr: '' });
    });

    it.each([
      [
        primitive('ct', 'heartbeat', 'conntrackd'),
        'the resource ct (ocf:heartbeat:conntrackd) empties the caches of conntrackd; remove it',
      ],
      [
        primitive('vip', 'heartbeat', 'IPaddr2', '192.0.2.1'),
        'the resource vip moves 192.0.2.1, which all nodes share; remove it',
      ],
      [
        `<clone id="c">${primitive('v6', 'heartbeat', 'IPaddr2', '2001:db8::1')}</clone>`,
        'the resource v6 moves 2001:db8::1, which all nodes share; remove it',
      ],
      [
        `${of('a', 't', '192.0.2.9')}${of('b', 't', '192.0.2.1')}${template('t', 'heartbeat', 'IPaddr2')}`,
        'the resource b moves 192.0.2.1, which all nodes share; remove it',
      ],
      [
        `<primitive\n  type="conntrackd"\n  provider="heartbeat" class="ocf" id="odd"></primitive>`,
        'the resource odd (ocf:heartbeat:conntrackd) empties the caches of conntrackd; remove it',
      ],
    ])('names what must not stand beside it: %s', (resources, why) => {
      expect(validate(resources)).toEqual({ status: 6, stdout: '', stderr: `ocf-exit-reason:${why}\n` });
    });

    it('knows of no shared address before the agent has written them', () => {
      rmSync(join(box.run, 'addresses'));
      expect(validate(primitive('vip', 'heartbeat', 'IPaddr2', '192.0.2.1')).status).toBe(0);
    });
  });
});

const parameters = (id: string, ip?: string): string =>
  ip === undefined
    ? ''
    : `<instance_attributes id="${id}-i"><nvpair id="${id}-ip" name="ip" value="${ip}"/></instance_attributes>\n`;

function primitive(id: string, provider: string, type: string, ip?: string): string {
  return `<primitive id="${id}" class="ocf" provider="${provider}" type="${type}">\n${parameters(id, ip)}</primitive>\n`;
}

function template(id: string, provider: string, type: string): string {
  return `<template id="${id}" class="ocf" provider="${provider}" type="${type}"/>\n`;
}

/** A resource that is made from a template. */
function of(id: string, from: string, ip: string): string {
  return `<primitive id="${id}" template="${from}">\n${parameters(id, ip)}</primitive>\n`;
}

/** The elements in their order, `called` being the attribute `name` and `of` the others. Throws if the text isn't well-formed. */
const elementsOf = (xml: string) => {
  const open: string[] = [];
  const elements: { readonly name: string; readonly called: string; readonly of: Record<string, string> }[] =
    [];
  for (const [tag, text = ''] of xml.matchAll(/<([^>]*)>|&(?!\w+;)|$/g)) {
    const parsed = /^(\/?)([\w-]+)((?:\s+[\w-]+="[^"<>]*")*)\s*(\/?)$/.exec(text);
    const [, closing, name = '', attributes = '', alone] = parsed ?? [];
    if (tag === '' && open.length === 0) {
      return elements;
    }
    if (parsed === null || (closing === '/' && open.pop() !== name)) {
      throw new Error(`not well-formed at ${tag || 'the end'} within ${open.join(' ')}`);
    }
    if (closing !== '/') {
      const all = [...attributes.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [
        key,
        value,
      ]);
      const { name: called = '', lang: _, version: __, ...of } = Object.fromEntries(all);
      elements.push({ name, called, of });
      if (alone === '') {
        open.push(name);
      }
    }
  }
  return elements;
};
