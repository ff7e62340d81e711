/*
 * A template whose forks belong to its parent: that of conn (control.h).
 */
#ifndef SIBLINGS_H
#define SIBLINGS_H

/*
 * Stands at the door and forks as it is asked, under the name NAME-template.
 * In each fork: what came with the request, now at the same number as the door
 * was, close-on-exec. -1: nobody can ask any more.
 */
int siblings_serve(int door, const char *name);

#endif
