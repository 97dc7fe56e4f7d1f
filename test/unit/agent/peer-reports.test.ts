import { expect, it } from 'vitest';
import { PeerReports } from '../../../src/agent/peer-reports.ts';

const report = (heard: Readonly<Record<string, Record<string, number>>>, session = 'a'.repeat(16)) => ({
  session,
  heard,
});

it('counts for how long a peer has told of a leg without a break', () => {
  const reports = new PeerReports();
  const tell = (from: number, to: number, lost: readonly string[] = [], session?: string) => {
    for (let now = from; now <= to; now += 100) {
      reports.told('fw2', report({ eth1: { fw1: 20 } }, session), lost, now);
    }
  };
  const telling = (leg: string, now: number) => reports.of(leg, now)[0]?.telling;
  tell(0, 1000);
  expect(telling('eth1', 1050)).toBe(1050);
  expect(telling('eth2', 1050)).toBe(0);
  // Its agent stood still.
  tell(1600, 2000);
  expect(telling('eth1', 2000)).toBe(400);
  // Its agent was started anew.
  tell(2100, 2200, [], 'b'.repeat(16));
  expect(telling('eth1', 2200)).toBe(100);
  // Its leg was lost.
  tell(2300, 2400, ['eth1'], 'b'.repeat(16));
  expect(reports.of('eth1', 2400)[0]).toMatchObject({ telling: 0, lost: true });
  tell(2500, 2500, [], 'b'.repeat(16));
  expect(telling('eth1', 2500)).toBe(1);
  expect(reports.of('eth1', 3000)).toEqual([]);
});

it('lets what was heard grow old meanwhile', () => {
  const reports = new PeerReports();
  reports.told('fw2', report({ eth1: { fw1: 20 } }), [], 1000);
  expect(reports.of('eth1', 1080)[0]?.heard).toEqual(new Map([['fw1', 100]]));
});

it('knows of an agent of an older version that it tells nothing', () => {
  const reports = new PeerReports();
  reports.told('fw2', undefined, [], 1000);
  expect(reports.of('eth1', 1000)).toEqual([{ name: 'fw2', telling: 0, lost: false, heard: new Map() }]);
  expect(reports.session('fw2')).toBeUndefined();
});
