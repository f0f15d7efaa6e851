"""What the files of a model folder say, key by key and file by file: followed, harmless, told, or refused."""
