"""SimpleNet: Liu, Zhou, Xu, Wang, CVPR 2023, arXiv 2303.15140; trained on good parts alone."""
