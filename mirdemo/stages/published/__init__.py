"""The published protocol (Papaioannou et al. 2025, arXiv 2506.17055), as far as it is known: a probe, and a fine-tuning.

Known: an MLP as the head, on the mean over layers; binary cross-entropy; the official split; macro ROC-AUC and mAP,
micro- and macro-F1 at 0.5; the scores of a recording's windows are averaged. The probe trains the head alone, with five
seeds. The fine-tuning trains the backbone's trailing blocks with it, in one run, in half precision for Qwen2-Audio.

Not known, and ours: the settings (``MlpTraining``: MARBLE's where it has them), windows as the backbone cuts them, each
trained with its clip's tags, the last layer where layers differ in size, a recording having a tag if any of its clips
has, early stopping on macro ROC-AUC of validation recordings, and, where no split is given, about three fifths, one
fifth and one fifth of the recordings.
"""
