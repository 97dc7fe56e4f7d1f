/** Something in a conntrackd.conf that doesn't go with this cluster. */
export interface Finding {
  /** From 1; of the section when the directive is missing, 0 when that is missing as well. */
  readonly line: number;
  readonly what: string;
  readonly why: string;
  readonly mend: string;
  /** Whether it comes and goes with the addresses that the node has. */
  readonly fleeting?: boolean;
}
