import type { Instruction } from './bpf-assembler.ts';
import { Channel, NETLINK_ROUTE } from './channel.ts';
import { KernelError } from './error.ts';
import {
  MessageWriter,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  NLM_F_REQUEST,
} from './message.ts';

/** include/uapi/linux/rtnetlink.h, pkt_sched.h, pkt_cls.h. */
const RTM_NEWQDISC = 36;
const RTM_NEWTFILTER = 44;
const RTM_DELTFILTER = 45;
const TCA_KIND = 1;
const TCA_OPTIONS = 2;
const TCA_BPF_OPS_LEN = 4;
const TCA_BPF_OPS = 5;
const TCA_BPF_FLAGS = 8;
/** What the program returns is the verdict. */
const TCA_BPF_FLAG_ACT_DIRECT = 1;
const TC_H_CLSACT = 0xffff_fff1;
const CLSACT_HANDLE = 0xffff_0000;
/** TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS). */
const INGRESS = 0xffff_fff2;
/** ETH_P_IP as it stands in a frame, read as a number of this machine. */
const IP = 0x0008;

/** Which of an interface's programs: several that see what comes in are asked in the order of their priorities. */
export interface IngressProgram {
  /** The interface's. */
  readonly index: number;
  /** From 1 to 65535; no two programs of an interface have the same. */
  readonly priority: number;
}

/** Has the kernel run programs of classic BPF on IPv4 packets as they come in, tc-bpf(8). */
export class TrafficControl {
  readonly #channel = new Channel({ protocol: NETLINK_ROUTE, receiveBytes: 8192, timeoutMs: 1000 });

  /**
   * Brings a program, or replaces the one that is there in one go: each packet meets the one or the other. Throws KernelError
   * (ENOENT, EOPNOTSUPP: a kernel without sch_ingress or cls_bpf, or an interface with a shared block; ENODEV) and what
   * `Channel.request` throws. It waits for whoever changes an interface (RTNL).
   */
  async set(at: IngressProgram, program: readonly Instruction[]): Promise<void> {
    return this.#withQdisc(at, () => this.#setFilter(at, program, NLM_F_REPLACE));
  }

  /**
   * Brings a program only if there is none. Returns whether there was none. That costs the kernel a look and no more (NLM_F_EXCL in
   * tc_new_tfilter(), net/sched/cls_api.c). Errors as of `set`.
   */
  async keep(at: IngressProgram, program: readonly Instruction[]): Promise<boolean> {
    try {
      await this.#withQdisc(at, () => this.#setFilter(at, program, NLM_F_EXCL));
      return true;
    } catch (error) {
      if (error instanceof KernelError && error.code === 'EEXIST') return false;
      throw error;
    }
  }

  /** Removes the program; none is no error. */
  async remove(at: IngressProgram): Promise<void> {
    try {
      await this.#ask('remove the ingress program of', at, RTM_DELTFILTER, 0, (writer) => {
        writer.tc({ index: at.index, handle: 1, parent: INGRESS, info: infoOf(at) });
        writer.text(TCA_KIND, 'bpf');
      });
    } catch (error) {
      if (!(error instanceof KernelError && GONE.has(error.code))) throw error;
    }
  }

  close(): void {
    this.#channel.close();
  }

  async #withQdisc(at: IngressProgram, set: () => Promise<void>): Promise<void> {
    try {
      await set();
    } catch (error) {
      // There is no qdisc that it could be of: neither clsact nor ingress.
      if (!(error instanceof KernelError && error.code === 'EINVAL')) throw error;
      await this.#ask('make the clsact qdisc of', at, RTM_NEWQDISC, NLM_F_CREATE, (writer) => {
        writer.tc({ index: at.index, handle: CLSACT_HANDLE, parent: TC_H_CLSACT, info: 0 });
        writer.text(TCA_KIND, 'clsact');
      });
      await set();
    }
  }

  /** @param flags what to do if there is one */
  #setFilter(at: IngressProgram, program: readonly Instruction[], flags: number): Promise<void> {
    return this.#ask('set the ingress program of', at, RTM_NEWTFILTER, NLM_F_CREATE | flags, (writer) => {
      writer.tc({ index: at.index, handle: 1, parent: INGRESS, info: infoOf(at) });
      writer.text(TCA_KIND, 'bpf');
      writer.openNest(TCA_OPTIONS);
      writer.host16(TCA_BPF_OPS_LEN, program.length);
      writer.bytes(TCA_BPF_OPS, program.flatMap(bytesOf));
      writer.host32(TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
      writer.closeNest();
    });
  }

  async #ask(
    operation: string,
    { index }: IngressProgram,
    type: number,
    flags: number,
    write: (writer: MessageWriter) => void,
  ): Promise<void> {
    const subject = `interface ${index}`;
    const { refusals } = await this.#channel.request({
      operation,
      subject,
      messages: 1,
      encode: (sequence) => {
        const writer = new MessageWriter();
        writer.openMessage(type, NLM_F_REQUEST | NLM_F_ACK | flags, sequence);
        write(writer);
        writer.closeMessage();
        return writer.written;
      },
    });
    for (const { errno } of refusals) throw new KernelError(errno, operation, subject);
  }
}

/** No such filter, no qdisc that it could be of, no interface, nothing that could have any. */
const GONE = new Set(['ENOENT', 'EINVAL', 'ENODEV', 'EOPNOTSUPP']);

const infoOf = ({ priority }: IngressProgram): number => ((priority << 16) | IP) >>> 0;

/** struct sock_filter, include/uapi/linux/filter.h. */
const bytesOf = ({ code, jt, jf, k }: Instruction): readonly number[] => [
  code & 0xff,
  code >>> 8,
  jt,
  jf,
  k & 0xff,
  (k >>> 8) & 0xff,
  (k >>> 16) & 0xff,
  k >>> 24,
];
