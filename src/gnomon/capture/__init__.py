"""DNS messages of other programs: pcap, pcapng, dnstap and C-DNS in, and recorded exchanges out."""
