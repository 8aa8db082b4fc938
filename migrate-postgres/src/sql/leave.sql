DELETE FROM {instance} WHERE id = {id}
