"""Workers: the processes that do what is queued, lane by lane, and the watch over them."""
