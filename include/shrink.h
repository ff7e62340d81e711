/*
 * Memory of the process that nothing is in.
 */
#ifndef SHRINK_H
#define SHRINK_H

/*
 * Gives back to the system what was freed, and the stack that calls once used
 * below the caller: for the moment before a long wait.
 */
void shrink_process(void);

#endif
