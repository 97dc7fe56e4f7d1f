/** What conntrackd 1.4.7 (Debian 12) printed in FTFW mode with the external cache disabled; columns are tabs. */
export const STATISTICS = `cache internal:
current active connections:\t           3
connections created:\t\t           4\tfailed:\t           0
connections updated:\t\t           5\tfailed:\t           0
connections destroyed:\t\t           1\tfailed:\t           0

external inject:
connections created:\t\t           7\tfailed:\t           2
connections updated:\t\t           8\tfailed:\t           0
connections destroyed:\t\t           6\tfailed:\t           1

traffic processed:
                   0 Bytes                         0 Pckts

UDP traffic (active device=eth3):
                 284 Bytes sent                   32 Bytes recv
                   5 Pckts sent                    2 Pckts recv
                   0 Error send                    9 Error recv

message tracking:
                   0 Malformed msgs                   11 Lost msgs

`;

export const EXTERNAL_CACHE = `cache external:
current active connections:\t          12
connections created:\t\t          13\tfailed:\t           0
connections updated:\t\t           0\tfailed:\t           0
connections destroyed:\t\t           1\tfailed:\t           0
`;

export const RUNTIME = `daemon uptime: 1 day 2 h 3 min

netlink stats:
\tevents received:\t                  17
\tevents filtered:\t                   0
\tevents unknown type:\t\t           0
\tcatch event failed:\t\t           0
\tdump unknown type:\t\t           0
\tnetlink overrun:\t\t           2
\tflush kernel table:\t\t           0
\tresync with kernel table:\t           1
\tcurrent buffer size (in bytes):\t    67108864

runtime stats:
\tchild process failed:\t\t           3
\t\tchild process segfault:\t           0
\t\tchild process termsig:\t           0
\tselect failed:\t\t\t           0
\twait failed:\t\t\t           0
\tlocal read failed:\t\t           0
\tlocal unknown request:\t\t           0

`;

export const QUEUE = `allocated queue nodes:\t\t           1

queue txqueue:
current elements:\t\t           4
maximum elements:\t\t  2147483647
not enough space errors:\t           0

queue errorq:
current elements:\t\t           0
maximum elements:\t\t         128
not enough space errors:\t           0

queue rsqueue:
current elements:\t\t         203
maximum elements:\t\t     1048576
not enough space errors:\t           5

`;

export const RESEND_QUEUE = `resent queue (len=3)
object -> seq:1795390703
object -> seq:1795390704
control -> seq:1795390706 flags:72
`;
