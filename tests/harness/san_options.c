/*
 * What the sanitizers are told in processes whose environment is built from
 * nothing, and which leave their memory to exit().
 * Runs as: every process of a sanitizing build. A program in a cage has its own
 * (src/lib/sandbox_san.c), which counts instead of these.
 */

const char *__asan_default_options(void) __attribute__((weak));
const char *__ubsan_default_options(void) __attribute__((weak));

const char *
__asan_default_options(void)
{
	return "detect_leaks=0:exitcode=99:detect_stack_use_after_return=1";
}

const char *
__ubsan_default_options(void)
{
	return "print_stacktrace=1:halt_on_error=1:exitcode=99";
}
