using Datacake.Crdt;

namespace Datacake.Data.Cells;

static class DocumentContentEquality
{
    /// <summary>Returns true if two contents have the same cells.</summary>
    public static bool SequenceEqual(this DocumentContent content, DocumentContent other)
    {
        if (ReferenceEquals(content, other))
            return true;
        if (content.Count != other.Count)
            return false;
        var others = other.GetEnumerator();
        foreach (var cell in content)
        {
            if (!others.MoveNext() || !cell.EncodedPath.SequenceEqual(others.Current.EncodedPath)
                || cell.IsRemoved != others.Current.IsRemoved || !cell.Value.SequenceEqual(others.Current.Value))
                return false;
        }
        return true;
    }
}
