namespace Datacake.Data.Metadata;

/// <summary>The members of compiled classes that a context needs and the compiler did not show to the generator. For generated code.</summary>
public sealed class HiddenMembers
{
    readonly List<string> _missing = [];
    bool _isFieldMissing, _isConstructorMissing;

    internal HiddenMembers()
    {
    }

    internal int MissingCount => _missing.Count;

    /// <summary>Takes the field behind a property.</summary>
    /// <param name="owner">A class that has the property.</param>
    /// <param name="property">The name of the property.</param>
    /// <param name="lookedFor">The name and types of the field, if it is not the one that the compiler makes.</param>
    /// <param name="isThere">True if the field was found.</param>
    public void CheckField(Type owner, string property, string lookedFor, bool isThere)
    {
        ArgumentNullException.ThrowIfNull(owner);
        if (isThere)
            return;
        _isFieldMissing = true;
        Add($"The property {property} of {owner.Name}, a class of the assembly {owner.Assembly.GetName().Name}, has no setter, no value of its own, and no field {lookedFor}.");
    }

    /// <summary>Takes a constructor without parameters.</summary>
    /// <param name="type">The class.</param>
    /// <param name="use">Calls the constructor.</param>
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
            Add($"The class {type.Name} of the assembly {type.Assembly.GetName().Name} has no constructor without parameters.");
        }
    }

    /// <exception cref="InvalidOperationException">Some members are not there; the message names them all.</exception>
    internal void ThrowIfMissing()
    {
        if (_missing.Count == 0)
            return;
        string message = string.Join("\n", _missing);
        if (_isFieldMissing)
        {
            message += "\nSuch a property cannot be read from the store. If it is computed, mark it with [NotMapped], or say Ignore in OnModelCreating if it is not in the class of a list. Else give it "
                + "a setter, which may be private, or a parameter of its name and type in the constructor, or let it show a field of that name and type.";
        }
        if (_isConstructorMissing)
        {
            message += "\nAn object is read from the store with a constructor without parameters, which may be private, or a public one whose parameters all have the names and types of its "
                + "properties. Give the class one of these.";
        }
        throw new InvalidOperationException(message);
    }

    void Add(string problem)
    {
        if (!_missing.Contains(problem))
            _missing.Add(problem);
    }
}
