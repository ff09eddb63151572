using Datacake.EventualConsistency;

namespace Datacake.Data.Querying.Operators;

/// <summary>The places of groups in the order of the first keys of their entities, which are read in another order. Groups are compared by their numbers.</summary>
/// <param name="model">The model of the entities.</param>
sealed class FirstPlaces(EntityModel model) : IComparer<int>
{
    readonly OrderedKeyWriter _writer = new();
    readonly List<byte[]> _first = [];

    /// <summary>Adds an entity to a group. The numbers of groups are given in the order of their first entities here.</summary>
    public void Add(int group, object entity)
    {
        _writer.Truncate();
        model.WriteKey(entity, _writer);
        if (group == _first.Count)
            _first.Add(_writer.ToArray());
        else if (_writer.Written.SequenceCompareTo(_first[group]) < 0)
            _first[group] = _writer.ToArray();
    }

    public int Compare(int x, int y) => _first[x].AsSpan().SequenceCompareTo(_first[y]);
}
