"""The audio catalogue: sound files, their features and their history, in a folder or in Azure Blob Storage.

raw/ holds the files by their hash, processed/ features over time, delta/ the tables audio_metadata and audio_features,
logs/ what was done, one JSON object a line.
"""
