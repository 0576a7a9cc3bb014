"""Chance that can be repeated."""
import copy
import random
import uuid

from . import text


class Dice(random.Random):
    def chance(self, share):
        return self.random() < share

    def uuid(self):
        return str(uuid.UUID(int=self.getrandbits(128), version=4))

    def key(self):
        return f"{self.getrandbits(128):032x}"

    def word(self):
        return f"w{self.getrandbits(40):010x}"

    def hostile(self):
        """Any value at all, mostly of a type that is not expected."""
        return copy.deepcopy(self.choice(self.choice((text.STRINGS, text.NUMBERS, text.ODDS))))

    def mutate(self, value):
        """The same with one place changed."""
        places = list(walk(value))
        if not places:
            return self.hostile()
        parent, name = self.choice(places)
        turn = self.random()
        if turn < 0.15:
            del parent[name]
        elif turn < 0.25 and isinstance(parent, dict):
            added = self.choice((self.word(), "id", "links", "domain_id", "owner", "status", "extra", "", "x" * 300))
            parent[added] = self.hostile()
        elif turn < 0.35:
            parent[name] = [parent[name]] * self.choice((0, 1, 2, 200))
        elif turn < 0.40 and isinstance(parent[name], str):
            parent[name] = parent[name] * 100
        elif turn < 0.45 and isinstance(parent[name], str):
            parent[name] = parent[name].upper()
        else:
            parent[name] = self.hostile()
        return value


def walk(value):
    """Every place in a body, as (container, key)."""
    if isinstance(value, dict):
        for name in list(value):
            yield value, name
            yield from walk(value[name])
    elif isinstance(value, list) and not isinstance(value, text.Pairs):
        for index in range(len(value)):
            yield value, index
            yield from walk(value[index])
