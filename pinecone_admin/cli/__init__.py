"""The command line ``pinecone-admin``, which the extra ``cli`` installs."""
