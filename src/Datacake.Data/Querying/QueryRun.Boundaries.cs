using System.Diagnostics.CodeAnalysis;
using Datacake.Data.Querying.Planning;
using Datacake.EventualConsistency.Indexes;
using Datacake.Storage;

namespace Datacake.Data.Querying;

// Boundaries of the results. Where a path is in the order of a boundary, it starts or ends there. Other boundaries are checked for each entity.
sealed partial class QueryRun<T>
{
    List<Boundary<T>> _checkedBoundaries = [];

    /// <summary>True if the path leads to entities that have to be checked.</summary>
    bool IsChecked => Checked.Count + _checkedBoundaries.Count > 0;

    /// <summary>True if the path starts or ends at a boundary, so that the boundary need not be checked.</summary>
    public bool IsSought(Boundary<T> boundary) => !_checkedBoundaries.Contains(boundary);

    /// <summary>Uses a path within the boundaries.</summary>
    [MemberNotNull(nameof(_fitted), nameof(Path), nameof(Checked))]
    void Use(AccessPath path)
    {
        _fitted = path;
        _checkedBoundaries = [];
        foreach (var boundary in _spec.Boundaries)
        {
            bool isExact = false;
            if (ReferenceEquals(boundary.Orderings, _spec.Orderings))
                (path, isExact) = Within(path, boundary);
            if (!isExact)
                _checkedBoundaries.Add(boundary);
        }
        Path = path;
        Checked = FindChecked();
    }

    /// <summary>Returns the part of a path within a boundary that is in the order of the query, and whether all entities in it are within the boundary.</summary>
    (AccessPath Path, bool IsExact) Within(AccessPath path, Boundary<T> boundary)
    {
        switch (path)
        {
            case KeyScan scan when scan.Direction == KeyOrderOf(Columns):
                bool isUpper = boundary.IsBefore != (scan.Direction == ScanDirection.Reverse);
                var position = _model.KeyOf(boundary.Entity).Encoded;
                List<KeyRange> keys = [.. scan.Keys.Select(range => isUpper ? UpTo(range, position) : From(range, KeyRange.All.After(position).Start)).Where(static range => !range.IsEmpty)];
                return (keys.Count == 0 ? new NoAccess() : scan with { Keys = keys }, true);
            case IndexScan { Values: [var range] } scan when scan.IsInOrder || (scan.IsInKeyOrder && scan.Direction == KeyOrderOf(Columns)):
                return QueryPlanner.ValueOf(_model, scan, boundary.Entity) is { } value ? Within(scan, range, boundary, value) : (path, false);
            default:
                return (path, false);
        }
    }

    (AccessPath Path, bool IsExact) Within(IndexScan scan, KeyRange range, Boundary<T> boundary, byte[] value)
    {
        bool isReverse = scan.Direction == ScanDirection.Reverse, isUpper = boundary.IsBefore != isReverse;
        bool isCutOff = value.Length >= DocumentIndex.MaxValueLength;
        var group = KeyRange.WithPrefix(isCutOff ? value.AsMemory(0, DocumentIndex.MaxValueLength) : value);
        var tie = scan.IsInOrder ? scan.TieOrder : scan.Direction;
        if (isCutOff || tie is null || (tie != scan.Direction && boundary.IsBefore))
        {
            // The entities with the same value are compared.
            var rest = isUpper ? UpTo(range, group.End) : From(range, group.Start);
            return (scan with { Values = [Proper(rest)] }, false);
        }
        byte[] position = [.. value, .. _model.KeyOf(boundary.Entity).Encoded.Span];
        var above = KeyRange.All.After(position).Start;
        if (tie == scan.Direction)
            return (scan with { Values = [Proper(isUpper ? UpTo(range, position) : From(range, above))] }, true);
        // Entities with the same value come in the other direction, and all of these come before those with the next values.
        var ofGroup = UpTo(From(range, isReverse ? above : group.Start), isReverse ? group.End : position);
        var others = isReverse ? UpTo(range, group.Start) : group.End is { } end ? From(range, end) : new KeyRange(group.Start, group.Start);
        return (scan with { Values = isReverse ? [Proper(others), Proper(ofGroup)] : [Proper(ofGroup), Proper(others)], HasGroup = true }, true);
    }

    static KeyRange From(KeyRange range, ReadOnlyMemory<byte> start) => start.Span.SequenceCompareTo(range.Start.Span) > 0 ? range with { Start = start } : range;

    static KeyRange UpTo(KeyRange range, ReadOnlyMemory<byte>? end) =>
        end is { } upper && (range.End is not { } known || upper.Span.SequenceCompareTo(known.Span) < 0) ? range with { End = upper } : range;

    static KeyRange Proper(KeyRange range) => range.IsEmpty ? new KeyRange(range.Start, range.Start) : range;
}
