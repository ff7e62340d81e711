/*
 * Options of the sanitizers for programs that live in a cage with an
 * environment made from nothing; linked only with SAN=1.
 * Runs as: any user.
 *
 * Looking for leaks at the end needs ptrace and /proc, which the cages refuse.
 */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *
__asan_default_options(void)
{
	return "detect_leaks=0:abort_on_error=0:handle_abort=0";
}

const char *
__ubsan_default_options(void)
{
	return "print_stacktrace=1";
}
