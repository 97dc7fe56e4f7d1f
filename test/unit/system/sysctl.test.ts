import { expect, it } from 'vitest';
import { readSysctl, SysctlError, writeSysctl } from '../../../src/system/sysctl.ts';

it('reads a setting by either spelling of its name', async () => {
  expect(await readSysctl('kernel.ostype')).toBe('Linux');
  expect(await readSysctl('kernel/ostype')).toBe('Linux');
});

it('knows a setting that the kernel does not have', async () => {
  expect(await readSysctl('kernel.no_such_setting')).toBeUndefined();
});

it('names the setting and the value that it could not write', async () => {
  const failure = writeSysctl('kernel.no_such_setting', '7');
  await expect(failure).rejects.toThrow(SysctlError);
  await expect(failure).rejects.toThrow('cannot set the kernel setting kernel.no_such_setting to 7: ');
});
