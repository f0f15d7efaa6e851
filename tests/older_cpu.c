/* Hides AVX-512, VNNI and AMX from a process and all it starts, on an x86-64 Linux that can fault on CPUID.
 *
 *   LD_PRELOAD=older_cpu.so COMMAND     ONNX Runtime, OpenBLAS, oneDNN and numpy choose what they would on AVX2
 *
 * Libraries ask the CPUID instruction what there is. Linux can make it fault (arch_prctl ARCH_SET_CPUID, arch/x86/
 * include/uapi/asm/prctl.h); the handler runs it and takes bits out of the answer. What /proc/cpuinfo says goes the
 * same way, by a copy without those flags. The setting is lost in exec, so that every process loads this again.
 *
 *   cc -O2 -shared -fPIC -o older_cpu.so older_cpu.c -ldl
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define BIT(n) (1u << (n))

/* Leaf 7 of Intel's manual, volume 2A: AVX-512 in all its parts, VNNI, bf16, fp16, AMX. */
#define HIDDEN_EBX (BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31))
#define HIDDEN_ECX (BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14))
#define HIDDEN_EDX (BIT(2) | BIT(3) | BIT(8) | BIT(22) | BIT(23) | BIT(24) | BIT(25))
#define HIDDEN_1_EAX (BIT(4) | BIT(5) | BIT(21) | BIT(23))
#define HIDDEN_1_EDX (BIT(4) | BIT(5) | BIT(8) | BIT(10) | BIT(19))

static struct sigaction others; /* what the program itself asked for on SIGSEGV */

static void cpuid_faults(int on) { syscall(SYS_arch_prctl, ARCH_SET_CPUID, on ? 0 : 1); }

static void answer(greg_t *registers)
{
    unsigned leaf = registers[REG_RAX], part = registers[REG_RCX], a = leaf, b, c = part, d;
    cpuid_faults(0);
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    cpuid_faults(1);
    if (leaf == 7 && part == 0) {
        b &= ~HIDDEN_EBX;
        c &= ~HIDDEN_ECX;
        d &= ~HIDDEN_EDX;
    } else if (leaf == 7 && part == 1) {
        a &= ~HIDDEN_1_EAX;
        d &= ~HIDDEN_1_EDX;
    }
    registers[REG_RAX] = a;
    registers[REG_RBX] = b;
    registers[REG_RCX] = c;
    registers[REG_RDX] = d;
    registers[REG_RIP] += 2;
}

static int true_sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
    int (*call)(int, const struct sigaction *, struct sigaction *) = dlsym(RTLD_NEXT, "sigaction");
    return call(number, action, old);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    const unsigned char *code = (const unsigned char *)registers[REG_RIP];
    if (info->si_code == SI_KERNEL && code[0] == 0x0f && code[1] == 0xa2) {
        answer(registers);
    } else if (others.sa_flags & SA_SIGINFO) {
        others.sa_sigaction(number, info, context);
    } else if (others.sa_handler != SIG_DFL && others.sa_handler != SIG_IGN) {
        others.sa_handler(number);
    } else {
        struct sigaction plain = {.sa_handler = SIG_DFL};
        true_sigaction(number, &plain, NULL); /* a true fault: it comes again and ends the process */
    }
}

/* Programs may have a handler of their own (faulthandler has), behind this one. */
int sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
    if (number != SIGSEGV)
        return true_sigaction(number, action, old);
    struct sigaction before = others;
    if (action)
        others = *action;
    if (old)
        *old = before;
    return 0;
}

typedef void (*handler_t)(int);

handler_t signal(int number, handler_t handler)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, old;
    return sigaction(number, &action, &old) == 0 ? old.sa_handler : SIG_ERR;
}

/* A blocked SIGSEGV that comes all the same ends the process: it stays open in every thread. */
static int open_mask(const char *name, int how, const sigset_t *set, sigset_t *old)
{
    int (*call)(int, const sigset_t *, sigset_t *) = dlsym(RTLD_NEXT, name);
    sigset_t kept;
    if (set) {
        kept = *set;
        if (how != SIG_UNBLOCK)
            sigdelset(&kept, SIGSEGV);
    }
    return call(how, set ? &kept : NULL, old);
}

int pthread_sigmask(int how, const sigset_t *set, sigset_t *old) { return open_mask("pthread_sigmask", how, set, old); }

int sigprocmask(int how, const sigset_t *set, sigset_t *old) { return open_mask("sigprocmask", how, set, old); }

static int filtered_cpuinfo(void)
{
    static const char *hidden[] = {"avx512", "avx_vnni", "avx_ifma", "amx_"};
    FILE *input = fdopen(syscall(SYS_openat, AT_FDCWD, "/proc/cpuinfo", O_RDONLY), "r");
    int copy = memfd_create("cpuinfo", 0);
    char *line = NULL, *word, *rest;
    size_t room = 0;
    while (getline(&line, &room, input) > 0) {
        if (strncmp(line, "flags", 5) != 0) {
            dprintf(copy, "%s", line);
            continue;
        }
        for (word = strtok_r(line, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest)) {
            int kept = 1;
            for (unsigned k = 0; k < sizeof hidden / sizeof *hidden; k++)
                kept &= strncmp(word, hidden[k], strlen(hidden[k])) != 0;
            if (kept)
                dprintf(copy, "%s ", word);
        }
        dprintf(copy, "\n");
    }
    free(line);
    fclose(input);
    lseek(copy, 0, SEEK_SET);
    return copy;
}

#define OPEN(name)                                                     \
    int name(const char *path, int flags, ...)                         \
    {                                                                  \
        va_list rest;                                                  \
        va_start(rest, flags);                                         \
        int mode = va_arg(rest, int);                                  \
        va_end(rest);                                                  \
        if (strcmp(path, "/proc/cpuinfo") == 0)                        \
            return filtered_cpuinfo();                                 \
        return syscall(SYS_openat, AT_FDCWD, path, flags, mode);       \
    }
OPEN(open)
OPEN(open64)

__attribute__((constructor)) static void begin(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
    true_sigaction(SIGSEGV, &action, &others);
    if (syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0) != 0) {
        dprintf(2, "older_cpu: this machine cannot make CPUID fault: nothing is hidden\n");
        _exit(3);
    }
}
