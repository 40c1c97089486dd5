"""What forms of many fields share."""


class Unchanging(dict):
    """The fields of a form class whose forms change none of them, so that each can use them without a deep copy."""

    def __deepcopy__(self, memo):
        return dict(self)
