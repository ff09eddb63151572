using System.ComponentModel;

namespace Datacake.Data.CodeGeneration;

/// <summary>The access to a navigation of an entity. For generated code.</summary>
/// <typeparam name="TTarget">The class of the related entities.</typeparam>
/// <param name="name">The name of the property.</param>
/// <param name="get">Reads the property of an entity.</param>
/// <param name="set">Sets the property; null if it cannot be set.</param>
/// <param name="create">Creates an empty collection for the property; null if it refers to one entity.</param>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class NavigationAccess<TTarget>(
    string name, Func<object, object?> get, Action<object, object?>? set, Func<ICollection<TTarget>>? create)
    where TTarget : class
{
    internal string Name => name;

    internal Func<object, object?> Get => get;

    internal Action<object, object?>? Set => set;

    internal Func<ICollection<TTarget>>? Create => create;
}
