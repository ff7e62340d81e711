/*
 * How long a connection has been idle, on Linux.
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

	if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &i, &n) < 0
	    || n < offsetof(struct tcp_info, tcpi_last_data_recv)
	    + sizeof i.tcpi_last_data_recv)
		return -1;
	return i.tcpi_last_data_recv < i.tcpi_last_data_sent
	    ? i.tcpi_last_data_recv : i.tcpi_last_data_sent;
}
