"""Run the command line as ``python -m pinecone_admin.cli``."""

from pinecone_admin.cli.main import run

if __name__ == "__main__":
    run()
