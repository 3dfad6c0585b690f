"""Kinebox in a virtual machine: what needs a kernel of its own, with drivers of cameras, encrypted disks and plugs.

Only with KINEBOX_VM_TESTS=1: it takes minutes.
"""
