/*
 * The groups of whoever logs in, asked of NSS once.
 */
#ifndef GROUPS_H
#define GROUPS_H

/*
 * In a program that has this, getgrouplist() answers the same question as before
 * from memory, whoever of the process asks, until groups_forget().
 */
void groups_forget(void);

#endif
