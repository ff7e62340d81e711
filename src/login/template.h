/*
 * The template of login (control.h).
 */
#ifndef LOGIN_TEMPLATE_H
#define LOGIN_TEMPLATE_H

enum template_end {
	TEMPLATE_CHILD,		/* a new process, its channel at CHANNEL_FD */
	TEMPLATE_UNUSED,	/* nobody can ask any more */
	TEMPLATE_PROBED,	/* a child died by a signal */
};
enum template_end template_serve(void);

#endif
