#include "context.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

/* iris__stack_switch(void **save, void *to): push what a called function must keep, note the stack
 * pointer in *save, take `to` for it, pop. iris__stack_resume is the second half of it, which needs
 * nothing but the stack pointer. iris__stack_begin is where a new stack's first pop leads. */
void iris__stack_switch(void **save, void *to);
void iris__stack_resume(void);
void iris__stack_begin(void);

#if defined(__x86_64__)

__asm__(".text\n"
        ".p2align 4\n"
        ".globl iris__stack_switch\n"
        ".hidden iris__stack_switch\n"
        ".type iris__stack_switch, @function\n"
        "iris__stack_switch:\n"
        "    .cfi_startproc\n"
        "    endbr64\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    subq $8, %rsp\n"
        "    stmxcsr (%rsp)\n"
        "    fnstcw 4(%rsp)\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        ".globl iris__stack_resume\n"
        ".hidden iris__stack_resume\n"
        "iris__stack_resume:\n"
        "    .cfi_def_cfa_offset 64\n"
        "    ldmxcsr (%rsp)\n"
        "    fldcw 4(%rsp)\n"
        "    addq $8, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    .cfi_def_cfa_offset 8\n"
        "    popq %rcx\n" /* not ret: it goes back to another caller than the processor thinks */
        "    jmpq *%rcx\n"
        "    .cfi_endproc\n"
        ".size iris__stack_switch, .-iris__stack_switch\n"
        ".p2align 4\n"
        ".hidden iris__stack_begin\n"
        ".globl iris__stack_begin\n"
        ".type iris__stack_begin, @function\n"
        "iris__stack_begin:\n"
        "    .cfi_startproc\n"
        "    .cfi_undefined rip\n"
        "    endbr64\n"
        "    movq %rbx, %rdi\n"
        "    callq *%r12\n"
        "    ud2\n"
        "    .cfi_endproc\n"
        ".size iris__stack_begin, .-iris__stack_begin\n");

enum { FRAME = 8, MODES = 0, R12 = 4, RBX = 5, RETURN = 7 }; /* words, upwards */

static void *first_frame(void *top, void (*run)(void *), void *arg)
{
    uint64_t *sp = (uint64_t *)((uintptr_t)top & ~(uintptr_t)15) - FRAME;
    memset(sp, 0, FRAME * sizeof *sp);
    uint32_t mxcsr;
    uint16_t x87;
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    __asm__ volatile("fnstcw %0" : "=m"(x87));
    sp[MODES] = (uint64_t)x87 << 32 | mxcsr;
    sp[R12] = (uint64_t)(uintptr_t)run;
    sp[RBX] = (uint64_t)(uintptr_t)arg;
    sp[RETURN] = (uint64_t)(uintptr_t)iris__stack_begin;
    return sp;
}

static int divert(ucontext_t *u, void *sp)
{
    u->uc_mcontext.gregs[REG_RSP] = (greg_t)(uintptr_t)sp;
    u->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)iris__stack_resume;
    u->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)0x400; /* strings go upwards, as the ABI has it */
    return 1;
}

#elif defined(__aarch64__)

__asm__(".text\n"
        ".p2align 4\n"
        ".globl iris__stack_switch\n"
        ".hidden iris__stack_switch\n"
        ".type iris__stack_switch, %function\n"
        "iris__stack_switch:\n"
        "    .cfi_startproc\n"
        "    hint #34\n" /* bti c */
        "    sub sp, sp, #176\n"
        "    stp x19, x20, [sp, #0]\n"
        "    stp x21, x22, [sp, #16]\n"
        "    stp x23, x24, [sp, #32]\n"
        "    stp x25, x26, [sp, #48]\n"
        "    stp x27, x28, [sp, #64]\n"
        "    stp x29, x30, [sp, #80]\n"
        "    stp d8, d9, [sp, #96]\n"
        "    stp d10, d11, [sp, #112]\n"
        "    stp d12, d13, [sp, #128]\n"
        "    stp d14, d15, [sp, #144]\n"
        "    mrs x9, fpcr\n"
        "    str x9, [sp, #160]\n"
        "    mov x9, sp\n"
        "    str x9, [x0]\n"
        "    mov sp, x1\n"
        ".globl iris__stack_resume\n"
        ".hidden iris__stack_resume\n"
        "iris__stack_resume:\n"
        "    .cfi_def_cfa_offset 176\n"
        "    ldr x9, [sp, #160]\n"
        "    msr fpcr, x9\n"
        "    ldp x19, x20, [sp, #0]\n"
        "    ldp x21, x22, [sp, #16]\n"
        "    ldp x23, x24, [sp, #32]\n"
        "    ldp x25, x26, [sp, #48]\n"
        "    ldp x27, x28, [sp, #64]\n"
        "    ldp x29, x30, [sp, #80]\n"
        "    ldp d8, d9, [sp, #96]\n"
        "    ldp d10, d11, [sp, #112]\n"
        "    ldp d12, d13, [sp, #128]\n"
        "    ldp d14, d15, [sp, #144]\n"
        "    add sp, sp, #176\n"
        "    .cfi_def_cfa_offset 0\n"
        "    ret\n"
        "    .cfi_endproc\n"
        ".size iris__stack_switch, .-iris__stack_switch\n"
        ".p2align 4\n"
        ".globl iris__stack_begin\n"
        ".hidden iris__stack_begin\n"
        ".type iris__stack_begin, %function\n"
        "iris__stack_begin:\n"
        "    .cfi_startproc\n"
        "    .cfi_undefined x30\n"
        "    mov x0, x19\n"
        "    blr x20\n"
        "    brk #0\n"
        "    .cfi_endproc\n"
        ".size iris__stack_begin, .-iris__stack_begin\n");

enum { FRAME = 22, X19 = 0, X20 = 1, X30 = 11, FPCR = 20 }; /* words, upwards */

static void *first_frame(void *top, void (*run)(void *), void *arg)
{
    uint64_t *sp = (uint64_t *)((uintptr_t)top & ~(uintptr_t)15) - FRAME;
    memset(sp, 0, FRAME * sizeof *sp);
    __asm__ volatile("mrs %0, fpcr" : "=r"(sp[FPCR]));
    sp[X19] = (uint64_t)(uintptr_t)arg;
    sp[X20] = (uint64_t)(uintptr_t)run;
    sp[X30] = (uint64_t)(uintptr_t)iris__stack_begin;
    return sp;
}

static int divert(ucontext_t *u, void *sp)
{
    u->uc_mcontext.sp = (uintptr_t)sp;
    u->uc_mcontext.pc = (uintptr_t)iris__stack_resume;
    return 1;
}

#else /* other machines: what the C library has, with a system call a switch */

struct place {
    ucontext_t u;
};

static void begin(unsigned high, unsigned low)
{
    struct context *c = (struct context *)(((uintptr_t)high << 16 << 16) | low);
    c->run(c->arg);
    abort();
}

static void *first_frame(void *top, void (*run)(void *), void *arg)
{
    (void)run, (void)arg;
    struct place *p = (struct place *)(((uintptr_t)top - sizeof *p) & ~(uintptr_t)63);
    getcontext(&p->u);
    return p;
}

void iris__stack_switch(void **save, void *to)
{
    struct place here;
    *save = &here;
    swapcontext(&here.u, &((struct place *)to)->u);
}

static int divert(ucontext_t *u, void *sp)
{
    (void)u, (void)sp;
    return 0;
}

#define IRIS__UCONTEXT 1

#endif

void iris__context_make(struct context *c, void *low, void *top, void (*run)(void *), void *arg)
{
    c->run = run;
    c->arg = arg;
    c->fiber.low = low;
    c->fiber.size = (size_t)((char *)top - (char *)low);
    c->sp = first_frame(top, run, arg);
#ifdef IRIS__UCONTEXT
    ucontext_t *u = c->sp;
    u->uc_stack.ss_sp = low;
    u->uc_stack.ss_size = (size_t)((char *)c->sp - (char *)low);
    makecontext(u, (void (*)(void))begin, 2, (unsigned)((uintptr_t)c >> 16 >> 16),
                (unsigned)(uintptr_t)c);
#endif
    iris__fiber_make(&c->fiber);
}

void iris__context_switch(struct context *from, struct context *to)
{
    iris__fiber_leave(&from->fiber, &to->fiber, 0);
    iris__stack_switch(&from->sp, to->sp);
    iris__fiber_enter(&from->fiber, &to->fiber);
}

void iris__context_leave(struct context *from, struct context *to)
{
    iris__fiber_leave(&from->fiber, &to->fiber, 1);
    iris__stack_switch(&from->sp, to->sp);
    abort();
}

void iris__context_begin(struct context *now, struct context *before)
{
    iris__fiber_enter(&now->fiber, &before->fiber);
}

void iris__context_drop(struct context *c)
{
    iris__fiber_drop(&c->fiber);
}

int iris__context_divert(void *ucontext, struct context *from, struct context *to)
{
    if (!divert(ucontext, to->sp))
        return 0;
    iris__fiber_leave(&from->fiber, &to->fiber, 1);
    return 1;
}
