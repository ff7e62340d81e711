/*
 * What forks of a template find in place.
 */
#ifndef INHERIT_H
#define INHERIT_H

/*
 * In a template, when it has done what its forks will do: they begin with the
 * pages of its code mapped that it has used. Where that fails they ask for them
 * one after the other, as forks do.
 */
void inherit_code(void);

#endif
