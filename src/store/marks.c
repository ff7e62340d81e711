/*
 * Marks by UID.
 * Runs as: the mailbox owner.
 */
#include <stdlib.h>

#include "marks.h"

#define PAGE_BITS 12
#define PAGE_MARKS ((uint32_t)1 << PAGE_BITS)

static int
make_pages(struct marks *m, size_t n)
{
	uint64_t **page;

	if (n <= m->pages)
		return 0;
	if (n < m->pages * 2)
		n = m->pages * 2;
	page = reallocarray(m->page, n, sizeof *page);
	if (page == NULL)
		return -1;
	memset(page + m->pages, 0, (n - m->pages) * sizeof *page);
	m->page = page;
	m->pages = n;
	return 0;
}

uint64_t *
marks_make(struct marks *m, uint32_t uid)
{
	size_t i = uid >> PAGE_BITS;

	if (make_pages(m, i + 1) < 0)
		return NULL;
	if (m->page[i] == NULL)
		m->page[i] = calloc(PAGE_MARKS, sizeof **m->page);
	return m->page[i] == NULL ? NULL : &m->page[i][uid % PAGE_MARKS];
}

uint64_t
marks_get(const struct marks *m, uint32_t uid)
{
	size_t i = uid >> PAGE_BITS;

	return i >= m->pages || m->page[i] == NULL ? 0
	    : m->page[i][uid % PAGE_MARKS];
}

void
marks_free(struct marks *m)
{
	for (size_t i = 0; i < m->pages; i++)
		free(m->page[i]);
	free(m->page);
	*m = (struct marks){ 0 };
}
