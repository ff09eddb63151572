using System.ComponentModel;

namespace Datacake.Data.CodeGeneration;

/// <summary>
/// The members of compiled classes that a context needs and that the compiler did not show to the generator. For generated code.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class CompiledMemberCheck
{
    readonly List<string> _missing = [];
    bool _isFieldMissing, _isConstructorMissing;

    internal CompiledMemberCheck()
    {
    }

    internal int MissingCount => _missing.Count;

    /// <summary>Adds the result of the search for the field behind a property.</summary>
    /// <param name="owner">A class that has the property.</param>
    /// <param name="property">The name of the property.</param>
    /// <param name="lookedFor">The name and types of the field, if it is not the one that the compiler generates.</param>
    /// <param name="isThere">True if the field was found.</param>
    public void CheckField(Type owner, string property, string lookedFor, bool isThere)
    {
        ArgumentNullException.ThrowIfNull(owner);
        if (isThere)
            return;
        _isFieldMissing = true;
        Add($"The property {property} of {owner.Name}, a class of the assembly {owner.Assembly.GetName().Name}, has no setter, is not an auto-property, and has no field {lookedFor}.");
    }

    /// <summary>Looks for a parameterless constructor.</summary>
    /// <param name="type">The class.</param>
    /// <param name="use">A function that calls the constructor.</param>
    public void CheckConstructor(Type type, Action use)
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(use);
        try
        {
            use();
        }
        catch (MissingMethodException)
        {
            _isConstructorMissing = true;
            Add($"The class {type.Name} of the assembly {type.Assembly.GetName().Name} has no parameterless constructor.");
        }
    }

    /// <exception cref="InvalidOperationException">Members are missing. The message names all of them.</exception>
    internal void ThrowIfMissing()
    {
        if (_missing.Count == 0)
            return;
        string message = string.Join("\n", _missing);
        if (_isFieldMissing)
        {
            message += "\nSuch a property cannot be read from the store. If it is computed, mark it with [NotMapped], or call Ignore in OnModelCreating, which does not apply to the classes of list items. "
                + "Otherwise, give it a setter, which may be private, a constructor parameter of its name and type, or a field of that name and type to return.";
        }
        if (_isConstructorMissing)
        {
            message += "\nAn object is read from the store with a parameterless constructor, which may be private, or with a public constructor whose parameters all have the names and types of its "
                + "properties. Give the class such a constructor.";
        }
        throw new InvalidOperationException(message);
    }

    void Add(string problem)
    {
        if (!_missing.Contains(problem))
            _missing.Add(problem);
    }
}
