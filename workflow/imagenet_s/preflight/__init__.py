"""May the build begin? Is the source complete, and is there room?"""
