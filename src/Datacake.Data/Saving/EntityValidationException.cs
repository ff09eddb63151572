namespace Datacake.Data;

/// <summary>
/// Entities break the rules of their classes (<c>[Required]</c>, <c>[MaxLength]</c>, nullability), refer to none where they must, or have values that cannot be stored. Nothing was written.
/// </summary>
public sealed class EntityValidationException : Exception
{
    const int MaxErrorsInMessage = 20;

    /// <summary>Creates the exception.</summary>
    public EntityValidationException(IReadOnlyList<ValidationError> errors)
        : base(Describe(errors)) => Errors = errors;

    internal EntityValidationException(IReadOnlyList<ValidationError> errors, Exception innerException)
        : base(Describe(errors), innerException) => Errors = errors;

    /// <summary>Everything that is wrong.</summary>
    public IReadOnlyList<ValidationError> Errors { get; }

    static string Describe(IReadOnlyList<ValidationError> errors)
    {
        string listed = string.Join("; ", errors.Take(MaxErrorsInMessage));
        string rest = errors.Count > MaxErrorsInMessage ? $"; and {errors.Count - MaxErrorsInMessage} more" : "";
        return $"Nothing was saved, because of {errors.Count} error(s): {listed}{rest}. Mend them and save again.";
    }
}
