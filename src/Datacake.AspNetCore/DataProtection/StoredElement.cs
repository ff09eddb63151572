using System.Xml.Linq;
using Datacake.EventualConsistency;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace Datacake.AspNetCore.DataProtection;

/// <summary>An element with the key of its document.</summary>
sealed class StoredElement(DocumentKey key, XElement element) : IDeletableElement
{
    public DocumentKey Key { get; } = key;

    public XElement Element { get; } = element;

    public int? DeletionOrder { get; set; }
}
