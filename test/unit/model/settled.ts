import type { World } from './world.ts';

/** Long enough for the slowest way to an end: two refusals, `disagree` apart, and a comparison. */
export const SETTLE_MS = 6000;

/** What must hold after SETTLE_MS without an event, whatever is still cut, dead or off. Fails the world's watch. */
export const checkSettled = (world: World): void => {
  for (const { agent, name } of world.machines.values()) {
    for (const { group, kind, reason } of agent?.round?.decisions ?? []) {
      if (kind !== 'stay') {
        world.watch.fail(`${name} still acts: ${kind} ${group}: ${reason}`);
      }
    }
    for (const group of agent?.round?.snapshot.groups ?? []) {
      if (group.active > 0 && group.active < group.buckets.length) {
        world.watch.fail(`${name} owns a part of ${group.name}`);
      }
    }
  }
  if (!knowEachOther(world)) {
    return;
  }
  const mustServe = someoneMayServe(world);
  for (const { name } of world.groups) {
    const owners = world.watch.owners(name);
    if (owners.length > 1) {
      world.watch.fail(`${owners.join(' and ')} both own ${name}`);
    }
    if (owners.length === 0 && mustServe) {
      world.watch.fail(`nobody owns ${name}`);
    }
  }
};

/** What must hold when everything is well again: each home owns its groups, and everybody else could. */
export const checkWell = (world: World): void => {
  checkSettled(world);
  for (const { name, home } of world.groups) {
    const owners = world.watch.owners(name);
    if (owners.length !== 1 || owners[0] !== home) {
      world.watch.fail(`${owners.join(' and ') || 'nobody'} owns ${name}, though all is well`);
    }
    for (const machine of world.machines.values()) {
      const view = machine.agent?.round?.snapshot.groups.find((group) => group.name === name);
      if (view?.synced !== true) {
        world.watch.fail(`${machine.name} isn't synced for ${name}, though all is well`);
      }
    }
  }
};

/** Makes everything well again. */
export const mendAll = (world: World): void => {
  const names = [...world.machines.keys()];
  world.watch.note('* everything is mended');
  world.watch.disturbed();
  for (const from of names) {
    for (const to of names) {
      world.sever('switch', 'heal', from, to);
      world.sever('sync', 'heal', from, to);
    }
  }
  for (const machine of world.machines.values()) {
    machine.plug(true);
    machine.drain(false);
    machine.boot();
    machine.startKeepalived();
  }
};

/** In each pair, the two see each other on one and the same path as all others do. */
const knowEachOther = (world: World): boolean => {
  const on = [...world.machines.values()].filter(({ powered }) => powered);
  const pairs = on.flatMap((one) => on.filter((other) => other !== one).map((other) => ({ one, other })));
  const bySync = pairs.every(({ one, other }) => world.sync.carries(one.name, other.name));
  const byVrrp = pairs.every(
    ({ one, other }) =>
      world.words === 'vrrp' &&
      world.switch.carries(one.name, other.name) &&
      one.plugged &&
      one.keepalived !== undefined &&
      other.keepalived !== undefined &&
      other.plugged,
  );
  return bySync || byVrrp;
};

/** Whether a manager runs that can choose an owner. */
const someoneMayServe = (world: World): boolean =>
  world.words === 'vrrp' &&
  [...world.machines.values()].some(
    ({ powered, plugged, keepalived }) => powered && plugged && keepalived !== undefined,
  );
