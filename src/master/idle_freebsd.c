/*
 * How long a connection has been idle, on FreeBSD, which knows when the last
 * bytes came, in microseconds.
 * Runs as: root.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "master.h"

int64_t
idle_ms(int socket)
{
	struct tcp_info i;
	socklen_t n = sizeof i;

	if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &i, &n) < 0)
		return -1;
	return i.tcpi_last_data_recv / 1000;
}
