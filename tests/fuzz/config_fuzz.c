/*
 * Fuzz target: the configuration file.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "config.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
const char *__lsan_default_options(void);

/* config.h: its strings live as long as the process. */
const char *
__lsan_default_options(void)
{
	return "detect_leaks=0";
}

/* What is accepted must be accepted again from its own dump, and be the same. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf why = BUF_INIT(4096), one = BUF_INIT(1 << 20), two = BUF_INIT(1 << 20);
	struct config c;

	if (config_parse(&c, bytes_make(p, n), "fuzz", &why) == 0) {
		if (config_dump(&c, true, &one) < 0 ||
		    config_parse(&c, buf_contents(&one), "dump", &why) < 0 ||
		    config_dump(&c, true, &two) < 0 ||
		    !bytes_equal(buf_contents(&one), buf_contents(&two)))
			abort();
	}
	buf_free(&why);
	buf_free(&one);
	buf_free(&two);
	return 0;
}
