"""What a framework needs beyond ``WSGIMiddleware``; most need nothing, and have a page in the documentation instead.

Each module may import its framework, and nothing else imports the modules.
"""
