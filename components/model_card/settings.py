"""What a model card says besides what a run knows."""

from typing import Annotated

from pydantic import Field

from components.settings import Section

Stated = Annotated[str, Field(min_length=1)] | None


class CardSettings(Section):
    """What the model card says besides what a run knows; what is null is "not stated" there."""

    title: Stated = Field(None, description="null: serving.model_name")
    description: Stated = Field(None, description="what the model is, in a sentence or two")
    language: Stated = Field(None, description="of the sentences, a BCP 47 tag, as en")
    intended_use: Stated = Field(None, description="who is to use it, and for what")
    out_of_scope: Stated = Field(None, description="what it must not be used for")
    limits: Stated = Field(None, description="known ones, besides those that the run computes")
    owner: Stated = Field(None, description="person or team that answers for it")
    contact: Stated = Field(None, description="of the owner: a mail address or a link")
    license: Stated = Field(None, description="of the model: an SPDX identifier, or a sentence")
    data_name: Stated = Field(None, description="of the data set")
    data_source: Stated = Field(None, description="where the data comes from")
    data_license: Stated = Field(None, description="of the data: an SPDX identifier, or a sentence")
