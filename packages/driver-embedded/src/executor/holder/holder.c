/*
 * The program that is process 1 of a segment's container. It is all that the embedded runner brings into a container, so it
 * needs nothing there: no libc, no shell, no files. `build.mjs` compiles it for both architectures into program.ts.
 *
 * Requests come on standard input: a 32-bit length (little endian, as all numbers), then that many bytes:
 *   u8 operation, 16 bytes of nonce, then what the operation needs. A string is u32 length, bytes, NUL.
 *   1 STEP    user, workdir, u32 n + n args, u32 n + n variables, u8 has-stdin, [u32 length + bytes]
 *   2 KILL    ends the running step; its reply is the step's
 *   3 REMOVE  u32 n + n paths, recursively; missing ones are fine; what is mounted below stays as it is
 *   4 MKDIR   one path, with parents
 *   5 PRUNE   u32 n + n directories, each removed if it is empty
 *   6 CLEAR   u32 n + n directories, each emptied; what is mounted below stays as it is
 * The reply is written once nothing of a step lives any more:
 *   standard output: nonce
 *   standard error:  nonce, u8 kind, i32 value, u32 length, text
 *   kinds: 0 exited (value: exit code), 1 killed by a signal (value), 2 program not startable (errno), 3 user unknown (text: what is missing),
 *          4 workdir (errno), 5 path operation failed (errno, text: the path), 6 no process or memory (errno)
 * Standard output and error belong to the steps themselves: what they write is not touched.
 * End of standard input: kills everything and exits, so a container does not outlive its runner.
 */
#if defined(__x86_64__)
enum { SYS_read = 0, SYS_write = 1, SYS_close = 3, SYS_fstat = 5, SYS_lseek = 8, SYS_mmap = 9, SYS_munmap = 11, SYS_getpid = 39, SYS_exit = 60,
  SYS_wait4 = 61, SYS_kill = 62, SYS_fcntl = 72, SYS_chdir = 80, SYS_fchown = 93, SYS_setuid = 105, SYS_setgid = 106,
  SYS_setsid = 112, SYS_setgroups = 116, SYS_getdents64 = 217, SYS_openat = 257, SYS_mkdirat = 258, SYS_unlinkat = 263,
  SYS_ppoll = 271, SYS_dup3 = 292, SYS_pipe2 = 293, SYS_signalfd4 = 289, SYS_memfd_create = 319, SYS_execve = 59, SYS_clone = 56,
  SYS_rt_sigprocmask = 14, SYS_nanosleep = 35 };
#define O_DIRECTORY 0200000
#define O_NOFOLLOW 0400000
static long call(long n, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return result;
}
__asm__(".globl _start\n_start:\n xor %ebp,%ebp\n mov %rsp,%rdi\n and $-16,%rsp\n call serve\n hlt\n");
#elif defined(__aarch64__)
enum { SYS_read = 63, SYS_write = 64, SYS_close = 57, SYS_fstat = 80, SYS_lseek = 62, SYS_mmap = 222, SYS_munmap = 215, SYS_getpid = 172, SYS_exit = 93,
  SYS_wait4 = 260, SYS_kill = 129, SYS_fcntl = 25, SYS_chdir = 49, SYS_fchown = 55, SYS_setuid = 146, SYS_setgid = 144,
  SYS_setsid = 157, SYS_setgroups = 159, SYS_getdents64 = 61, SYS_openat = 56, SYS_mkdirat = 34, SYS_unlinkat = 35,
  SYS_ppoll = 73, SYS_dup3 = 24, SYS_pipe2 = 59, SYS_signalfd4 = 74, SYS_memfd_create = 279, SYS_execve = 221, SYS_clone = 220,
  SYS_rt_sigprocmask = 135, SYS_nanosleep = 101 };
#define O_DIRECTORY 040000
#define O_NOFOLLOW 0100000
static long call(long n, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = n;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
__asm__(".globl _start\n_start:\n mov x29,xzr\n mov x30,xzr\n mov x0,sp\n bl serve\n");
#endif
#define sys(n, a, b, c) call(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define sys4(n, a, b, c, d) call(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

typedef unsigned char byte;
typedef unsigned int u32;
typedef unsigned long u64;

enum { EPERM = 1, ENOENT = 2, EINTR = 4, ENOEXEC = 8, EACCES = 13, EEXIST = 17, ENOTDIR = 20, EISDIR = 21, EINVAL = 22 };
enum { AT_FDCWD = -100, AT_REMOVEDIR = 0x200, O_CLOEXEC = 02000000, O_NONBLOCK = 04000, O_RDWR = 2 };
enum { F_SETFL = 4, F_DUPFD_CLOEXEC = 1030, SIGKILL = 9, SIGTERM = 15, SIGCHLD = 17, POLLIN = 1, WNOHANG = 1 };
enum { STEP = 1, KILL, REMOVE, MKDIR, PRUNE, CLEAR };
/* Beside error numbers: something that is mounted there was left alone. */
enum { KEPT = -1 };
enum { EXITED, KILLED, NOT_STARTED, NO_USER, NO_WORKDIR, PATH_FAILED, NO_RESOURCES };

struct reader { byte *at, *end; };
struct reply { int kind, value; const char *text; };
struct user { u32 uid, gid, groups[64]; int count; char *home; };
struct state { int control, signals; };
struct text { char *at, *end; };

/* The compiler may call these for assignments and loops. */
void *memset(void *to, int value, u64 count) { byte *at = to; while (count--) *at++ = value; return to; }
void *memcpy(void *to, const void *from, u64 count) { byte *at = to; const byte *source = from; while (count--) *at++ = *source++; return to; }

static u64 length_of(const char *text) { u64 n = 0; while (text[n]) n++; return n; }

static int same(const char *a, const char *b, u64 count) {
  for (u64 i = 0; i < count; i++) if (a[i] != b[i]) return 0;
  return 1;
}

static void *allocate(u64 size) {
  long at = call(SYS_mmap, 0, size, 3, 0x22, -1, 0);
  if (at < 0 && at > -4096) sys(SYS_exit, 4, 0, 0);
  return (void *)at;
}

static void write_all(int fd, const void *data, u64 count) {
  const byte *at = data;
  while (count) {
    long n = sys(SYS_write, fd, at, count);
    if (n == -EINTR) continue;
    if (n <= 0) return;
    at += n;
    count -= n;
  }
}

/* 0 at the end of the stream. */
static int read_all(int fd, void *data, u64 count) {
  byte *at = data;
  while (count) {
    long n = sys(SYS_read, fd, at, count);
    if (n == -EINTR) continue;
    if (n <= 0) return 0;
    at += n;
    count -= n;
  }
  return 1;
}

static void need(struct reader *in, u64 count) { if ((u64)(in->end - in->at) < count) sys(SYS_exit, 3, 0, 0); }

static u32 take_number(struct reader *in) {
  need(in, 4);
  u32 value = in->at[0] | in->at[1] << 8 | in->at[2] << 16 | (u32)in->at[3] << 24;
  in->at += 4;
  return value;
}

static char *take_string(struct reader *in) {
  u32 count = take_number(in);
  need(in, (u64)count + 1);
  char *text = (char *)in->at;
  in->at += (u64)count + 1;
  return text;
}

static char **take_strings(struct reader *in, u32 spare) {
  u32 count = take_number(in);
  need(in, (u64)count * 5);
  char **list = allocate(((u64)count + spare + 1) * sizeof(char *));
  for (u32 i = 0; i < count; i++) list[i] = take_string(in);
  return list;
}

/* All of a file, ended by NUL; NULL if there is none. */
static struct text read_file(const char *path) {
  struct text result = { 0, 0 };
  int fd = sys4(SYS_openat, AT_FDCWD, path, O_CLOEXEC, 0);
  if (fd < 0) return result;
  u64 size = 65536, count = 0;
  char *data = allocate(size);
  for (;;) {
    long n = sys(SYS_read, fd, data + count, size - count - 1);
    if (n == -EINTR) continue;
    if (n <= 0) break;
    count += n;
    if (count + 1 < size) continue;
    char *larger = allocate(size * 4);
    memcpy(larger, data, count);
    data = larger;
    size *= 4;
  }
  sys(SYS_close, fd, 0, 0);
  data[count] = 0;
  result.at = data;
  result.end = data + count;
  return result;
}

/* The next line, cut into fields at colons in place; 0 when there is no more. */
static int next_record(struct text *file, char *fields[8]) {
  if (file->at >= file->end) return 0;
  char *at = file->at;
  for (int i = 0; i < 8; i++) fields[i] = "";
  int count = 0;
  fields[count++] = at;
  for (; at < file->end && *at != '\n'; at++) {
    if (*at != ':') continue;
    *at = 0;
    if (count < 8) fields[count++] = at + 1;
  }
  *at = 0;
  file->at = at + 1;
  return 1;
}

static int is_number(const char *text, u32 *value) {
  u64 result = 0;
  if (!*text) return 0;
  for (; *text; text++) {
    if (*text < '0' || *text > '9' || result > 0xffffffff) return 0;
    result = result * 10 + (*text - '0');
  }
  if (result > 0xffffffff) return 0;
  *value = result;
  return 1;
}

static int equal(const char *a, const char *b) { u64 n = length_of(a); return n == length_of(b) && same(a, b, n); }

/*
 * The rules of the engine: nothing is looked up for no user and for uid:gid; a name must be in /etc/passwd, a number must
 * not, but the file must exist; whoever is found there needs /etc/group, too. Returns what is missing.
 */
static const char *find_user(char *spec, struct user *user) {
  user->uid = user->gid = 0;
  user->count = 0;
  user->home = 0;
  char *group = 0, *name = 0, *field[8];
  for (char *at = spec; *at; at++) if (*at == ':') { *at = 0; group = at + 1; break; }
  int none = !*spec && !group;
  if (!*spec) spec = "0";
  int numeric = is_number(spec, &user->uid);
  int pair = numeric && group && is_number(group, &user->gid);
  struct text passwd = read_file("/etc/passwd");
  int known = passwd.end != 0;
  while (next_record(&passwd, field)) {
    u32 id;
    if (!is_number(field[2], &id) || !(equal(field[0], spec) || (numeric && id == user->uid))) continue;
    name = field[0];
    user->home = field[5];
    if (none || pair) break;
    user->uid = id;
    is_number(field[3], &user->gid);
    break;
  }
  if (none || pair) return 0;
  if (!known) return "passwd file";
  if (!name && !numeric) return "user";
  if (!name && !group) return 0;
  struct text file = read_file("/etc/group");
  if (!file.end) return "group file";
  int found = 0;
  while (next_record(&file, field)) {
    u32 id, wanted;
    if (!is_number(field[2], &id)) continue;
    if (group) {
      if (!equal(field[0], group) && !(is_number(group, &wanted) && wanted == id)) continue;
      user->gid = id;
      found = 1;
      break;
    }
    for (char *at = field[3]; *at && user->count < 64;) {
      u64 n = 0;
      while (at[n] && at[n] != ',') n++;
      if (n == length_of(name) && same(at, name, n)) { user->groups[user->count++] = id; break; }
      at += n;
      if (*at == ',') at++;
    }
  }
  if (group && !found && !is_number(group, &user->gid)) return "group";
  return 0;
}

static int make_directories(char *path) {
  for (char *at = path + 1; *path; at++) {
    if (*at && *at != '/') continue;
    char saved = *at;
    *at = 0;
    long result = sys(SYS_mkdirat, AT_FDCWD, path, 0755);
    *at = saved;
    if (result < 0 && result != -EEXIST && !saved) return -result;
    if (!saved) break;
  }
  long fd = sys4(SYS_openat, AT_FDCWD, path, O_DIRECTORY | O_CLOEXEC, 0);
  if (fd < 0) return -fd;
  sys(SYS_close, fd, 0, 0);
  return 0;
}

static u64 device_of(int fd) {
  u64 status[32];
  return sys(SYS_fstat, fd, status, 0) < 0 ? 0 : status[0];
}

static int clear_directory(int fd, u64 device);

static int remove_tree(int parent, const char *name, u64 device) {
  long result = sys(SYS_unlinkat, parent, name, 0);
  if (result == 0 || result == -ENOENT || result == -ENOTDIR) return 0;
  if (result != -EISDIR && result != -EPERM) return -result;
  int fd = sys4(SYS_openat, parent, name, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
  if (fd < 0) return result == -EPERM ? EPERM : -fd;
  int failed = device_of(fd) == device ? clear_directory(fd, device) : KEPT;
  sys(SYS_close, fd, 0, 0);
  if (failed) return failed;
  result = sys(SYS_unlinkat, parent, name, AT_REMOVEDIR);
  return result == -ENOENT ? 0 : -result;
}

/* Reads the folder again until a pass removes nothing: entries may move while others are removed. */
static int clear_directory(int fd, u64 device) {
  char entries[4096];
  int failed, kept, removed;
  do {
    failed = kept = removed = 0;
    sys(SYS_lseek, fd, 0, 0);
    for (;;) {
      long count = sys(SYS_getdents64, fd, entries, sizeof entries);
      if (count <= 0) break;
      for (long at = 0; at < count;) {
        char *entry = entries + at;
        at += *(unsigned short *)(entry + 16);
        char *child = entry + 19;
        if (child[0] == '.' && (!child[1] || (child[1] == '.' && !child[2]))) continue;
        int error = remove_tree(fd, child, device);
        if (error == KEPT) kept = 1;
        else if (error) failed = error;
        else removed = 1;
      }
    }
  } while (removed && !failed);
  if (failed) return failed;
  return kept ? KEPT : 0;
}

/* Removes a path, or only what is in it. */
static int remove_path(const char *path, int contents) {
  u64 device = 0;
  int error = 0;
  int fd = sys4(SYS_openat, AT_FDCWD, path, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
  if (fd >= 0) {
    int parent = sys4(SYS_openat, fd, "..", O_DIRECTORY | O_CLOEXEC, 0);
    device = device_of(contents ? fd : parent);
    sys(SYS_close, parent, 0, 0);
    if (contents) error = clear_directory(fd, device);
    sys(SYS_close, fd, 0, 0);
  }
  if (!contents) error = remove_tree(AT_FDCWD, path, device);
  return error == KEPT ? 0 : error;
}

/* Ends every other process and takes leave of it. */
static void end_all(void) {
  struct { long seconds, nanoseconds; } pause = { 0, 1000000 };
  for (;;) {
    long alive = sys(SYS_kill, -1, SIGKILL, 0);
    while (sys4(SYS_wait4, -1, 0, 0, 0) > 0) {}
    if (alive < 0) return;
    if (sys(SYS_kill, -1, SIGKILL, 0) < 0) return;
    sys(SYS_nanosleep, &pause, 0, 0);
  }
}

/* Makes both output pipes blocking again: a step may have changed the mode that all of them share. */
static void settle_output(void) {
  sys(SYS_fcntl, 1, F_SETFL, O_RDWR);
  sys(SYS_fcntl, 2, F_SETFL, O_RDWR);
}

static void finish(void) {
  end_all();
  sys(SYS_exit, 0, 0, 0);
}

static void answer(const byte *nonce, struct reply reply) {
  byte head[25];
  u32 count = reply.text ? length_of(reply.text) : 0;
  settle_output();
  memcpy(head, nonce, 16);
  write_all(1, head, 16);
  head[16] = reply.kind;
  for (int i = 0; i < 4; i++) head[17 + i] = reply.value >> (8 * i), head[21 + i] = count >> (8 * i);
  write_all(2, head, 25);
  write_all(2, reply.text, count);
}

static const char *variable(char **env, const char *name) {
  u64 n = length_of(name);
  for (; *env; env++) if (same(*env, name, n) && (*env)[n] == '=') return *env + n + 1;
  return 0;
}

/* Returns the error of the best candidate: one that is there but can't be run tells more than ENOENT. */
static int execute(char **args, char **env) {
  const char *file = args[0];
  for (const char *at = file; *at; at++) if (*at == '/') return -sys(SYS_execve, file, args, env);
  const char *path = variable(env, "PATH");
  if (!path) path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  int error = ENOENT;
  char *candidate = allocate(length_of(path) + length_of(file) + 3);
  while (*file) {
    u64 n = 0;
    while (path[n] && path[n] != ':') n++;
    memcpy(candidate, path, n);
    candidate[n] = '/';
    memcpy(candidate + n + (n > 0), file, length_of(file) + 1);
    int result = -sys(SYS_execve, candidate, args, env);
    if (result != ENOENT && result != ENOTDIR) error = result;
    if (result == ENOEXEC || !path[n]) break;
    path += n + 1;
  }
  return error;
}

static int open_input(struct reader *in) {
  need(in, 1);
  if (!*in->at++) return sys4(SYS_openat, AT_FDCWD, "/dev/null", O_CLOEXEC, 0);
  u32 count = take_number(in);
  need(in, count);
  int fd = sys(SYS_memfd_create, "stdin", 1, 0);
  if (fd < 0) return fd;
  write_all(fd, in->at, count);
  sys(SYS_lseek, fd, 0, 0);
  return fd;
}


/* Becomes the step's program; returns only when that fails. */
static struct reply start_step(struct reader *in) {
  char *spec = take_string(in), *workdir = take_string(in);
  char **args = take_strings(in, 0), **env = take_strings(in, 1);
  struct user user;
  u64 none = 0;
  int error;
  const char *unknown = find_user(spec, &user);
  if (unknown) return (struct reply){ NO_USER, 0, unknown };
  if ((error = make_directories(workdir)) || (error = -sys(SYS_chdir, workdir, 0, 0))) return (struct reply){ NO_WORKDIR, error, 0 };
  if (!variable(env, "HOME")) {
    const char *home = user.home && *user.home ? user.home : "/";
    char *entry = allocate(length_of(home) + 6), **at = env;
    memcpy(entry, "HOME=", 5);
    memcpy(entry + 5, home, length_of(home));
    while (*at) at++;
    *at = entry;
  }
  int input = open_input(in);
  if (input < 0) return (struct reply){ NO_RESOURCES, -input, 0 };
  sys(SYS_dup3, input, 0, 0);
  settle_output();
  sys(SYS_fchown, 1, user.uid, -1);
  sys(SYS_fchown, 2, user.uid, -1);
  sys(SYS_setsid, 0, 0, 0);
  sys4(SYS_rt_sigprocmask, 2, &none, 0, 8);
  /* A rootless container may not change its groups; with none to set that is no loss. */
  error = -sys(SYS_setgroups, user.count, user.groups, 0);
  if ((error && user.count) || (error = -sys(SYS_setgid, user.gid, 0, 0)) ||
      (error = -sys(SYS_setuid, user.uid, 0, 0))) return (struct reply){ NO_RESOURCES, error, 0 };
  return (struct reply){ NOT_STARTED, execute(args, env), 0 };
}

static struct reply change_paths(int operation, struct reader *in) {
  struct reply reply = { EXITED, 0, 0 };
  if (operation == MKDIR) {
    char *path = take_string(in);
    int error = make_directories(path);
    return error ? (struct reply){ PATH_FAILED, error, path } : reply;
  }
  for (char **path = take_strings(in, 0); *path; path++) {
    int error = 0;
    if (operation == PRUNE) sys(SYS_unlinkat, AT_FDCWD, *path, AT_REMOVEDIR);
    else error = remove_path(*path, operation == CLEAR);
    if (error) reply = (struct reply){ PATH_FAILED, error, *path };
  }
  return reply;
}

/* SIGTERM of the container engine; processes of a step may send what they like (their sender has a number here). */
static void read_signal(int signals) {
  byte info[128];
  if (sys(SYS_read, signals, info, sizeof info) != sizeof info) return;
  if (info[0] == SIGTERM && !(info[12] | info[13] | info[14] | info[15])) finish();
}

/* Waits for the process, serving KILL meanwhile. */
static int wait_for(struct state *state, int child) {
  for (;;) {
    int status;
    long pid;
    while ((pid = sys4(SYS_wait4, -1, &status, WNOHANG, 0)) > 0) if (pid == child) return status;
    struct { int fd; short events, revents; } fds[2] = { { state->control, POLLIN, 0 }, { state->signals, POLLIN, 0 } };
    if (call(SYS_ppoll, (long)fds, 2, 0, 0, 8, 0) < 0) continue;
    if (fds[1].revents) read_signal(state->signals);
    if (fds[0].revents) {
      byte head[21];
      if (!read_all(state->control, head, sizeof head) || head[4] != KILL) finish();
      sys(SYS_kill, -1, SIGKILL, 0);
    }
  }
}

/*
 * Every request is a child's work, so its memory goes with it. The child reports in a pipe, which a program that it becomes
 * does not inherit; the pointer in the report is good here, as both have the same address space.
 */
static struct reply handle(struct state *state, int operation, struct reader *in) {
  struct reply reply;
  int report[2];
  sys(SYS_pipe2, report, O_CLOEXEC, 0);
  int child = call(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0);
  if (child == 0) {
    reply = operation == STEP ? start_step(in) : change_paths(operation, in);
    write_all(report[1], &reply, sizeof reply);
    sys(SYS_exit, 0, 0, 0);
  }
  sys(SYS_close, report[1], 0, 0);
  int status = child > 0 ? wait_for(state, child) : 0;
  end_all();
  int reported = child > 0 && read_all(report[0], &reply, sizeof reply);
  sys(SYS_close, report[0], 0, 0);
  if (child < 0) return (struct reply){ NO_RESOURCES, -child, 0 };
  if (reported) return reply;
  if (status & 0x7f) return (struct reply){ KILLED, status & 0x7f, 0 };
  return (struct reply){ EXITED, status >> 8 & 0xff, 0 };
}

/* Waits until a request comes, taking leave of orphans meanwhile. */
static void idle(struct state *state) {
  for (;;) {
    while (sys4(SYS_wait4, -1, 0, WNOHANG, 0) > 0) {}
    struct { int fd; short events, revents; } fds[2] = { { state->control, POLLIN, 0 }, { state->signals, POLLIN, 0 } };
    if (call(SYS_ppoll, (long)fds, 2, 0, 0, 8, 0) < 0) continue;
    if (fds[1].revents) read_signal(state->signals);
    if (fds[0].revents) return;
  }
}

void serve(void) {
  /* Killing "everything" is only meant inside a container. */
  if (sys(SYS_getpid, 0, 0, 0) != 1) sys(SYS_exit, 2, 0, 0);
  u64 all = ~0ul, watched = 1ul << (SIGCHLD - 1) | 1ul << (SIGTERM - 1);
  sys4(SYS_rt_sigprocmask, 2, &all, 0, 8);
  struct state state;
  state.control = sys(SYS_fcntl, 0, F_DUPFD_CLOEXEC, 100);
  state.signals = sys4(SYS_signalfd4, -1, &watched, 8, O_CLOEXEC | O_NONBLOCK);
  for (;;) {
    u32 count;
    idle(&state);
    if (!read_all(state.control, &count, 4) || count < 17) finish();
    u64 size = ((u64)count + 4096) & ~4095ul;
    byte *data = allocate(size);
    if (!read_all(state.control, data, count)) finish();
    struct reader in = { data + 17, data + count };
    if (data[0] != KILL) answer(data + 1, handle(&state, data[0], &in));
    sys(SYS_munmap, data, size, 0);
  }
}
