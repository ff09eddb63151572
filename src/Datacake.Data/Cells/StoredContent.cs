using Datacake.Crdt;

namespace Datacake.Data.Cells;

/// <summary>
/// The whole content of stored documents. A serial save writes whole documents, including the cells that this version of the class does not know.
/// </summary>
static class StoredContent
{
    /// <summary>Returns the content that readers of a document see.</summary>
    public static DocumentContent Of(Document document)
    {
        var content = new DocumentContentBuilder(document.Encoded.Length);
        foreach (var cell in document.Cells)
        {
            if (!cell.IsRemoved && cell.IsShown(document.Born))
                content.Set(cell.EncodedPath, cell.Value);
        }
        return content.Build();
    }

    /// <summary>Returns a content with changes applied to it.</summary>
    public static DocumentContent With(this DocumentContent content, DocumentContent changes)
    {
        var changed = new DocumentContentBuilder(content.Length + changes.Length);
        var left = content.GetEnumerator();
        var right = changes.GetEnumerator();
        bool hasLeft = left.MoveNext(), hasRight = right.MoveNext();
        while (hasLeft || hasRight)
        {
            int order = !hasLeft ? 1 : !hasRight ? -1 : left.Current.EncodedPath.SequenceCompareTo(right.Current.EncodedPath);
            if (order < 0)
                changed.Set(left.Current.EncodedPath, left.Current.Value);
            else if (!right.Current.IsRemoved)
                changed.Set(right.Current.EncodedPath, right.Current.Value);
            if (order <= 0)
                hasLeft = left.MoveNext();
            if (order >= 0)
                hasRight = right.MoveNext();
        }
        return changed.Build();
    }
}
