/*
 * How long the secrets behind session tickets live.
 */
#ifndef TICKETS_H
#define TICKETS_H

#define TICKET_ROTATE_SECONDS (8 * 3600)
#define TICKETS_KEPT 3

#endif
