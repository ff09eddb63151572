namespace Datacake.Data;

/// <summary>
/// Entities to be saved break the rules of their classes (<c>[Required]</c>, <c>[MaxLength]</c>, nullability). Nothing was written.
/// </summary>
public sealed class EntityValidationException : Exception
{
    const int MaxErrorsInMessage = 20;

    /// <summary>Creates the exception.</summary>
    public EntityValidationException(IReadOnlyList<ValidationError> errors)
        : base(Describe(errors)) => Errors = errors;

    /// <summary>Everything that is wrong.</summary>
    public IReadOnlyList<ValidationError> Errors { get; }

    static string Describe(IReadOnlyList<ValidationError> errors)
    {
        string listed = string.Join("; ", errors.Take(MaxErrorsInMessage));
        string rest = errors.Count > MaxErrorsInMessage ? $"; and {errors.Count - MaxErrorsInMessage} more" : "";
        return $"Nothing was saved, because of {errors.Count} error(s): {listed}{rest}. Mend them and save again.";
    }
}
