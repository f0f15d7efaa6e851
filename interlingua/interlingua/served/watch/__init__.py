"""Keeps a Triton answering, from outside of it: the same code for `interlingua serve` and for the container's launcher.

    stat, stubs, shared_memory, progress, stopped    what the kernel says of its processes
    triton_process, start_watch, local_http, canary  one tritonserver: started and ended, reloaded, asked
    asker, restarts, watcher                         what is mended, and how often

Standard library alone, Linux alone.
"""
